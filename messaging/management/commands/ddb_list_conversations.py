from collections.abc import Iterator, Mapping, Sequence
from contextlib import nullcontext
from typing import IO, Any, cast
from uuid import UUID

from django.core.management.base import CommandParser

from cruddur.cli import target
from cruddur.cli.base_command import UsageError
from cruddur.cli.terminal import Column, is_plain
from messaging.domain.entities import Entry
from messaging.domain.folders import ARCHIVED, INBOX, REQUESTS
from messaging.dynamodb.connection import message_table
from messaging.dynamodb.malformed import MalformedItem
from messaging.dynamodb.metering import metered
from messaging.management import consumption
from messaging.management.layout import moment, person_facts, said, write_inbox
from messaging.management.table_command import TableCommand, refuse_incomplete
from messaging.operations.inspection import inbox_pages
from users.handle_lookup import person_meant
from users.models import User
from users.people import people_by_uuid

COLUMNS = (
    Column("last_message_at", "last message (UTC)", moment),
    Column("unread", right=True),
    Column("others", "handle", lambda others: ", ".join(each["handle"] or "" for each in others)),
    Column("others", "name", lambda others: ", ".join(each["name"] for each in others)),
    Column("last_message", "what was said", said),
    Column("group_uuid", "group"),
)
LISTS = {"inbox": INBOX, "requests": REQUESTS, "archived": ARCHIVED}


class Command(TableCommand):
    help = (
        "List a person's conversations, newest first, and what reading them cost. Reads the inbox index, which may "
        "lag a moment. With --json the last line has the cursor and what was consumed. Exit code 1: an unreadable "
        "entry was left out."
    )
    needs = (target.postgres, target.dynamodb)
    examples = (
        "bayko",
        "@Bayko --limit 0 --json",
        "bayko --list requests",
        "bayko --before 2026-11-21T09:05:00.000000+00:00_3f2b8c1e-5d0a-5b8e-9c55-0d6f4b1a7e21",
    )
    replaces = ("ddb/patterns/list-conversations",)
    when_stopped = "Stopped. Nothing was changed: this only reads."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("handle", metavar="HANDLE", help="the person, with or without @")
        parser.add_argument("--limit", type=int, default=20, help="how many, 0 for all; default: %(default)s")
        parser.add_argument("--list", choices=LISTS, default="inbox", help="default: %(default)s")
        parser.add_argument("--before", metavar="CURSOR", help="continue from here: the end of a page shows the cursor")

    def act(self, *, handle: str, limit: int, before: str | None, verbosity: int, **options: Any) -> None:
        if limit < 0:
            raise UsageError(f"--limit {limit} is no number of conversations: give one, or 0 for all.")
        person = person_meant(handle)
        left_out: list[MalformedItem] = []
        with metered(message_table().client) as requests:
            entries, older = self.read(left_out, person, which=LISTS[options["list"]], limit=limit, before=before)
        people = people_by_uuid({other for entry in entries for other in entry.other_uuids})
        self.write(entries, people)
        for line in consumption.lines(requests, every=verbosity > 1):
            self.say(line)
        if older:
            self.say(f"Older ones: --before {older}")
        number = f"{len(entries):,} conversation{'s' * (len(entries) != 1)}"
        self.done(
            f"{number} of @{person.handle}: {consumption.sentence(requests)}.",
            kind="summary",
            handle=person.handle,
            user_uuid=person.uuid,
            conversations=len(entries),
            older=older,
            left_out=[each.reason for each in left_out],
            **consumption.facts(requests),
        )
        refuse_incomplete(left_out)

    def read(
        self, left_out: list[MalformedItem], person: User, *, which: str, limit: int, before: str | None
    ) -> tuple[list[Entry], str | None]:
        entries: list[Entry] = []
        older = None
        try:
            with nullcontext(int) if limit else self.progress("conversations") as advance:
                for page in inbox_pages(user_uuid=person.uuid, before=before, limit=limit or None, which=which):
                    entries += page.entries
                    left_out += page.left_out
                    older = page.older
                    advance(len(page.entries))
        except ValueError as error:
            raise UsageError(f"--before {before} is no cursor: give one as the end of a page shows it.") from error
        return entries, older

    def write(self, entries: Sequence[Entry], people: Mapping[UUID, User]) -> None:
        if not self.as_json and not is_plain(cast("IO[str]", self.stdout)):
            write_inbox(cast("IO[str]", self.stdout), entries, people)
        else:
            self.write_rows(COLUMNS, rows(entries, people))


def rows(entries: Sequence[Entry], people: Mapping[UUID, User]) -> Iterator[Mapping[str, Any]]:
    for entry in entries:
        yield {
            "kind": "conversation",
            "group_uuid": entry.group_uuid,
            "others": [person_facts(uuid, people) for uuid in sorted(entry.other_uuids)],
            "last_message_at": entry.last_message_at,
            "last_message": entry.message,
            "last_user_uuid": entry.last_user_uuid,
            "messages": entry.last_seq,
            "unread": entry.unread,
        }
