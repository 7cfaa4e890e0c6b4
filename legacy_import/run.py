"""Run the whole import: survey the old table, import its users, then write one conversation after the other.

No progress is stored except what was written. The import can stop anywhere and be run again: it reads everything again
and writes what is missing. Memory grows with the number of groups and users, and holds the messages of one conversation
per thread.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from threading import Event, Lock
from uuid import UUID

from messaging.domain.entities import pair_group_uuid
from messaging.dynamodb.bulk import BulkWriter, in_threads
from messaging.dynamodb.table import MessageTable
from messaging.models import WrittenOutside

from .import_users import ImportResult, import_users
from .legacy_table import LegacyTable
from .legacy_users import BadRow, LegacyUser
from .merge_conversations import Merger, PlacedMessage
from .report import Kind, Report
from .resolve_members import Members, resolve_members
from .survey import EntryNote, Survey, text_hash
from .write_conversation import ConversationWriter, Unrepaired

Advance = Callable[[int], object]


@dataclass(slots=True)
class Counter:
    """Two accounts, and the old groups they are the members of."""

    members: frozenset[UUID]
    groups: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Import:
    """One run: call `survey`, `people`, `conversations`, in this order."""

    old: LegacyTable
    table: MessageTable
    report: Report
    zone: tzinfo
    now: datetime
    dry_run: bool = False
    threads: int = 1
    surveyed: Survey = field(default_factory=Survey)
    _here: dict[UUID, UUID] = field(default_factory=dict)
    """New uuids by old ones."""
    _left: set[UUID] = field(default_factory=set)
    """New uuids of users who have deleted their account."""
    _pairings: dict[str, Members] = field(default_factory=dict)
    _taking: Lock = field(default_factory=Lock)

    def survey(self, advance: Advance, on_throttled: Callable[[], object]) -> None:
        """Read everything once. Raises WrongTable, Unavailable."""
        for items in self.old.pages(readers=self.threads, on_throttled=on_throttled):
            self.surveyed.add(items)
            advance(len(items))
        self._pairings = {
            name: pairing
            for name, group in self.surveyed.groups.items()
            if group.messages and (pairing := resolve_members(name, group))
        }
        found = self.surveyed
        self.report.count(
            items=found.items, messages_read=found.messages, entries_read=found.entries, groups=len(found.groups)
        )
        for item in found.strange:
            self.report.remark(Kind.LEFT_OUT, item.pk, item.sk, f"{item.why}, and it was left out")

    def people(self, rows: Iterable[LegacyUser | BadRow], advance: Advance, *, keep_cognito_ids: bool) -> None:
        """Import all users: those of the old users table, then those known only from conversations."""
        for arrival in import_users(self._everybody(rows), dry_run=self.dry_run, keep_cognito_ids=keep_cognito_ids):
            self._note(arrival)
            advance(1)

    def _everybody(self, rows: Iterable[LegacyUser | BadRow]) -> Iterator[LegacyUser]:
        seen: set[UUID] = set()
        for row in rows:
            self.report.count(users_read=1)
            if isinstance(row, BadRow):
                about = f"row {row.number} of the users"
                self.report.remark(Kind.LEFT_OUT, about, "", f"{row.why}, and it was left out")
            elif row.uuid not in seen:
                seen.add(row.uuid)
                yield row
        pairings = self._pairings.values()
        others = {member for pairing in pairings for member in (*pairing.members, *pairing.outsiders)}
        for uuid in sorted(others - seen):
            said = self.surveyed.person(uuid)
            yield LegacyUser(uuid, said.handle, said.name, placeholder=True)

    def _note(self, arrival: ImportResult) -> None:
        self._here[arrival.old.uuid] = arrival.uuid
        if arrival.left:
            self._left.add(arrival.uuid)
        self.report.count(**{f"people_{arrival.outcome}": 1})
        if arrival.outcome == "placeholder":
            what = "no row tells of this person: a placeholder without e-mail and Cognito user stands for them"
            self.report.remark(Kind.PERSON, str(arrival.old.uuid), "", what)
        for remark in arrival.remarks:
            self.report.remark(Kind.PERSON, str(arrival.old.uuid), "", remark.rstrip("."))

    # --- Conversations ------------------------------------------------------------------------------------------------

    def conversations(self, advance: Advance) -> None:
        """Write the conversations that are missing or incomplete; call `advance` with numbers of processed messages.

        Raises Unavailable, and KeyboardInterrupt after Ctrl-C.
        """
        writer = BulkWriter(self.table, Event())
        arriving = ConversationWriter(writer, self.now, self.dry_run)
        waiting = iter(self._pairs())
        for name, group in self.surveyed.groups.items():
            if not group.messages:
                self._only_in_lists(name, group.entries, set())

        def work() -> None:
            while (together := self._next(waiting)) is not None:
                self._conversation(arriving, together)
                advance(sum(self.surveyed.groups[name].messages for name in together.groups))

        in_threads(self.threads, work, stop=writer.stop)

    def _next(self, waiting: Iterator[Counter]) -> Counter | None:
        with self._taking:
            return next(waiting, None)

    def _pairs(self) -> Iterable[Counter]:
        """Return the conversations to write, each with its groups; report doubts about their members."""
        pairs: dict[frozenset[UUID], Counter] = {}
        outside: list[WrittenOutside] = []
        for name, pairing in self._pairings.items():
            members = frozenset(self._here[member] for member in pairing.members)
            pairs.setdefault(members, Counter(members)).groups.append(name)
            if pairing.doubt:
                self.report.remark(Kind.MEMBERS_IN_DOUBT, f"MSG#{name}", "", pairing.doubt)
            for writer, number in pairing.outsiders.items():
                what = f"{writer} is no member and wrote {number:,} messages into it; they stay, for its members alone"
                self.report.remark(Kind.OUTSIDER, f"MSG#{name}", "", what)
                outside.append(WrittenOutside(person_id=self._here[writer], group_uuid=pair_group_uuid(*members)))
        if not self.dry_run:
            WrittenOutside.objects.bulk_create(outside, ignore_conflicts=True)
        self.report.count(conversations=len(pairs), groups_merged=len(self._pairings) - len(pairs))
        return sorted(pairs.values(), key=lambda together: sorted(together.members))

    def _conversation(self, arriving: ConversationWriter, together: Counter) -> None:
        merger = Merger(self.report, self.zone, self.now)
        placed = [each for name in together.groups for each in self._placed(merger, name)]
        if not placed:
            return  # Deleted from the old table since the survey.
        about = f"MSG#{together.groups[0]}"
        if together.members <= self._left:
            what = "both have deleted their accounts here: nothing of it was brought over"
            self.report.remark(Kind.DELETED, about, "", what)
            self.report.count(messages_of_deleted=len(placed))
            return
        group_uuid = pair_group_uuid(*together.members)
        messages = merger.told(placed, group_uuid, people=self._here, left=self._left)
        try:
            arrived = arriving.conversation(messages, members=together.members, left=self._left)
        except Unrepaired as problem:
            why = f"its conversation here is damaged ({problem}): run ddb_reconcile, then this again"
            self.report.remark(Kind.LEFT_OUT, about, "", why)
            return
        self.report.count(
            messages_written=arrived.written,
            messages_found=arrived.found,
            conversations_written=int(arrived.is_new),
            conversations_completed=int(not arrived.is_new and arrived.written > 0),
        )

    def _placed(self, merger: Merger, name: str) -> Sequence[PlacedMessage]:
        entries = self.surveyed.groups[name].entries
        messages = [each for each in self.old.messages(name) if self._is_known(each.writer.uuid, each.pk, each.sk)]
        self._only_in_lists(name, entries, {text_hash(message.text) for message in messages})
        return merger.placed(messages, sorted(entry.sk for entry in entries))

    def _is_known(self, writer: UUID, pk: str, sk: str) -> bool:
        if writer in self._here:
            return True
        why = "somebody whom the survey did not meet wrote it meanwhile: run this again"
        self.report.remark(Kind.LEFT_OUT, pk, sk, why)
        return False

    def _only_in_lists(self, name: str, entries: Iterable[EntryNote], texts: set[bytes]) -> None:
        """Report texts that an entry previews but no message contains: their sender is unknown."""
        told: set[bytes] = set()
        for entry in entries:
            if entry.text_hash not in texts | told:
                told.add(entry.text_hash)
                what = f"the list shows a text that no message of {name} has, and nothing tells whose it is"
                self.report.remark(Kind.ONLY_IN_A_LIST, f"GRP#{entry.owner}", entry.sk, f"{what}: it was left out")
