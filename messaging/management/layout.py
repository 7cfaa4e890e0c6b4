"""Lay out lists of conversations and transcripts, for a terminal of any width or as one line each elsewhere."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from io import StringIO
from typing import IO, Any
from uuid import UUID

from rich.box import SIMPLE_HEAD
from rich.cells import cell_len, set_cell_size
from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from cruddur.cli.terminal import as_text, cut, is_plain, printable, width_of, write_block
from messaging.domain.entities import Conversation, Entry, Message
from messaging.domain.timestamps import parse_created_at
from messaging.presenters.avatar import DELETED_NAME
from users.models import User

GAP = "  "
MOMENT_WIDTH = 19
INBOX_WIDTH = 70
"""Width of a terminal from which a conversation's uuid fits beside its time and number."""
INBOX_HEADINGS = ("last message (UTC)", "unread", "with", "said last", "group")
TEXT_WIDTH = 30
"""Columns that a text needs beside number, time and sender; with fewer it goes below them."""
HEADER_CELLS = 66
"""Width of a preview in a header on 80 columns."""
DELETED = "(deleted)"
EDITED = " (edited)"


def moment(created_at: str) -> str:
    """Format a created_at for people, in UTC, to the second."""
    return f"{parse_created_at(created_at):%Y-%m-%d %H:%M:%S}"


def handle_of(person: User | None) -> str:
    """Return `@bayko`, or the replacement for a user without a row."""
    return f"@{person.handle}" if person else str(DELETED_NAME)


def named(person: User | None) -> str:
    """Return `@bayko  Bayko`, or the replacement for a user without a row."""
    return f"@{person.handle}{GAP}{printable(person.display_name)}" if person else str(DELETED_NAME)


def said(preview: str) -> str:
    """Return the preview of a conversation's newest message on one line; only a deleted message has none."""
    return printable(preview) or DELETED


def person_facts(uuid: UUID, people: Mapping[UUID, User]) -> dict[str, Any]:
    """Return a user for programs; `handle` is None for a uuid without a row."""
    person = people.get(uuid)
    return {
        "uuid": uuid,
        "handle": person.handle if person else None,
        "name": person.display_name if person else str(DELETED_NAME),
    }


def header(conversation: Conversation, people: Mapping[UUID, User]) -> Iterator[str]:
    """Yield the lines that describe a conversation before its messages."""
    yield f"Conversation {conversation.group_uuid}"
    heading = "members"
    for member in sorted(conversation.member_uuids):
        yield f"  {heading:8}  {named(people.get(member))}{GAP}{member}"
        heading = ""
    yield f"  messages  {conversation.seq:,}, version {conversation.version:,}"
    blockers = GAP.join(handle_of(people.get(each)) for each in sorted(conversation.blocked_by))
    yield f"  blocked   {f'by {blockers}' if blockers else as_text(False)}"
    if conversation.awaiting:
        yield f"  awaiting  {handle_of(people.get(conversation.awaiting))}"
    who = handle_of(people.get(conversation.last_user_uuid))
    yield f"  last      {moment(conversation.last_sk)} UTC by {who}"
    yield f"            {cut(said(conversation.message), HEADER_CELLS)}"


def header_facts(conversation: Conversation, people: Mapping[UUID, User]) -> dict[str, Any]:
    """Return the conversation's description for programs."""
    return {
        "kind": "conversation",
        "group_uuid": conversation.group_uuid,
        "members": [person_facts(member, people) for member in sorted(conversation.member_uuids)],
        "messages": conversation.seq,
        "version": conversation.version,
        "blocked_by": sorted(conversation.blocked_by),
        "awaiting": conversation.awaiting,
        "last_message_at": conversation.last_sk,
        "last_message": conversation.message,
        "last_user_uuid": conversation.last_user_uuid,
    }


def message_facts(message: Message, people: Mapping[UUID, User]) -> dict[str, Any]:
    """Return a message for programs; `edited_at` and `deleted_at` are None if it was not edited or deleted."""
    who = person_facts(message.user_uuid, people)
    return {
        "kind": "message",
        "seq": message.seq,
        "created_at": message.created_at,
        "user_uuid": message.user_uuid,
        "handle": who["handle"],
        "name": who["name"],
        "message": message.message,
        "message_uuid": message.message_uuid,
        "edited_at": message.edited_at or None,
        "deleted_at": message.deleted_at or None,
    }


def write_inbox(stream: IO[str], entries: Sequence[Entry], people: Mapping[UUID, User]) -> None:
    """Write conversations to a terminal, two lines each so that the uuid fits 80 columns; cut the previews."""
    plain = is_plain(stream)
    if width_of(stream) < INBOX_WIDTH:
        for entry in entries:
            others = GAP.join(named(people.get(each)) for each in sorted(entry.other_uuids))
            cells = [
                moment(entry.last_message_at),
                f"{entry.unread:,}",
                others,
                said(entry.message),
                str(entry.group_uuid),
            ]
            write_block(stream, INBOX_HEADINGS, cells)
        return
    box = None if plain else SIMPLE_HEAD
    table = Table(box=box, expand=True, pad_edge=False, header_style="" if plain else "bold")
    table.add_column("last message (UTC)", width=MOMENT_WIDTH)
    table.add_column("unread", justify="right", width=len("unread"))
    table.add_column("with, what was said last, group", no_wrap=True, overflow="ellipsis", ratio=1)
    for entry in entries:
        others = GAP.join(named(people.get(each)) for each in sorted(entry.other_uuids))
        first = Text.assemble((others, "bold"), f"{GAP}{said(entry.message)}")
        both = Text("\n").join((first, Text(str(entry.group_uuid), "dim")))
        table.add_row(moment(entry.last_message_at), f"{entry.unread:,}", both)
    stream.write(rendered(stream, table))


@dataclass(slots=True)
class Transcript:
    """Writes messages as they arrive: number, time, sender and text, which is folded on a terminal."""

    stream: IO[str]
    people: Mapping[UUID, User]
    members: Iterable[UUID]
    seq_width: int
    """Digits of the highest number."""
    who_width: int = field(init=False)
    on_terminal: bool = field(init=False)

    def __post_init__(self) -> None:
        self.on_terminal = not is_plain(self.stream)
        self.seq_width = max(self.seq_width, len("seq"))
        self.who_width = max(cell_len(handle_of(self.people.get(member))) for member in self.members)

    def write_heading(self) -> None:
        self._write("seq", "when (UTC)", "who", Text("text"))

    def write(self, message: Message) -> None:
        text = Text("\n").join(Text(printable(line)) for line in message.message.split("\n"))
        if message.deleted_at:
            text = Text(DELETED, "dim")
        elif message.edited_at:
            text.append(EDITED, "dim")
        who = handle_of(self.people.get(message.user_uuid))
        self._write(f"{message.seq}", moment(message.created_at), who, text)

    def _write(self, seq: str, when: str, who: str, text: Text) -> None:
        room = width_of(self.stream) - self.seq_width - MOMENT_WIDTH - self.who_width - 3 * len(GAP)
        if self.on_terminal and room < TEXT_WIDTH:
            heading = Text.assemble(seq, GAP, (when, "dim"), GAP, (who, "bold"), overflow="fold")
            self.stream.write(rendered(self.stream, heading) + rendered(self.stream, text))
            return
        if not self.on_terminal:
            line = GAP.join((seq.rjust(self.seq_width), when.ljust(MOMENT_WIDTH), set_cell_size(who, self.who_width)))
            self.stream.write(f"{line}{GAP}{printable(text.plain)}\n")
            return
        grid = Table.grid(padding=(0, len(GAP), 0, 0))
        for width, justify in ((self.seq_width, "right"), (MOMENT_WIDTH, "left"), (self.who_width, "left")):
            grid.add_column(width=width, justify=justify, no_wrap=True, overflow="ellipsis")  # type: ignore[arg-type]
        grid.add_column(overflow="fold")
        grid.add_row(seq, Text(when, "dim"), Text(who, "bold"), text)
        self.stream.write(rendered(self.stream, grid))


def rendered(stream: IO[str], what: RenderableType) -> str:
    """Return `what` rendered for this terminal, without trailing spaces or blank lines around it."""
    # Do not print to the stream itself: Django's wrapper appends a newline to every write.
    written = StringIO()
    Console(file=written, force_terminal=not is_plain(stream)).print(what)
    lines = "\n".join(line.rstrip() for line in written.getvalue().splitlines())
    return lines.strip("\n") + "\n"
