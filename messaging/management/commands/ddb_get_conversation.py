from collections.abc import Iterable, Mapping
from contextlib import nullcontext
from dataclasses import replace
from typing import IO, Any, cast
from uuid import UUID

from django.core.management.base import CommandError, CommandParser

from cruddur.cli import target
from cruddur.cli.base_command import UsageError
from cruddur.cli.terminal import is_terminal, printable
from messaging.domain.entities import Conversation, Message, pair_group_uuid
from messaging.dynamodb.client import patient
from messaging.dynamodb.connection import message_table
from messaging.dynamodb.malformed import MalformedItem
from messaging.dynamodb.metering import metered
from messaging.management import consumption
from messaging.management.layout import Transcript, header, header_facts, message_facts
from messaging.management.table_command import TableCommand, refuse_incomplete
from messaging.operations.inspection import all_messages, newest_messages
from messaging.operations.periods import NoPeriod, period
from users.handle_lookup import person_meant
from users.models import User
from users.people import people_by_uuid


class Command(TableCommand):
    help = (
        "Show a conversation's messages and what reading them cost. Times without an offset are UTC. With --json the "
        "first line is the conversation, the last one has the cursor and what was consumed. Exit code 1: an "
        "unreadable message was left out."
    )
    needs = (target.postgres, target.dynamodb)
    examples = (
        "andrewbrown bayko",
        "3f2b8c1e-5d0a-5b8e-9c55-0d6f4b1a7e21 --limit 100",
        "andrewbrown bayko --since 2025-12-31 --until 2026-01-01T12:00+01:00",
        "andrewbrown bayko --limit 0 --json",
        "andrewbrown bayko --before 2026-11-21T09:05:00.000000+00:00",
    )
    replaces = ("ddb/patterns/get-conversation",)
    when_stopped = "Stopped. Nothing was changed: this only reads."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "which", metavar="GROUP_UUID_OR_HANDLE", help="the conversation's uuid, or the handle of one of its people"
        )
        parser.add_argument("other", nargs="?", metavar="HANDLE", help="the handle of the other")
        parser.add_argument("--since", metavar="TIME", help="from this date or time")
        parser.add_argument("--until", metavar="TIME", help="until the end of this date, or until this time")
        parser.add_argument(
            "--limit", type=int, default=20, help="the newest messages of that time, 0 for all; default: %(default)s"
        )
        parser.add_argument(
            "--before", metavar="CREATED_AT", help="only older than this message: the end of a page shows it"
        )

    def act(self, *, which: str, other: str | None, limit: int, verbosity: int, **options: Any) -> None:
        if limit < 0:
            raise UsageError(f"--limit {limit} is no number of messages: give one, or 0 for all.")
        try:
            wanted = period(since=options["since"], until=options["until"], before=options["before"])
        except NoPeriod as error:
            raise UsageError(str(error)) from error
        group_uuid, missing = group_meant(which, other)
        table = message_table()
        if not limit:
            # Retry for as long as it takes: a page of 1 MB may be slow if little capacity is provisioned.
            table = replace(table, client=patient(table.client))
        left_out: list[MalformedItem] = []
        with metered(table.client) as requests:
            conversation = table.conversation(group_uuid)
            if conversation is None:
                raise CommandError(missing)
            people = people_by_uuid(conversation.member_uuids)
            self.write_header(conversation, people)
            older: str | None = None
            messages: Iterable[Message]
            if limit:
                window = newest_messages(
                    table=table, group_uuid=group_uuid, period=wanted, limit=limit, left_out=left_out.append
                )
                messages, older = window.messages, window.older
            else:
                messages = all_messages(table=table, group_uuid=group_uuid, period=wanted, left_out=left_out.append)
            number = self.write_messages(messages, conversation, people)
        for line in consumption.lines(requests, every=verbosity > 1):
            self.say(line)
        if older:
            self.say(f"Older ones: --before {older}")
        self.done(
            f"{number:,} of {conversation.seq:,} messages: {consumption.sentence(requests)}.",
            kind="summary",
            group_uuid=group_uuid,
            shown=number,
            older=older,
            left_out=[each.reason for each in left_out],
            **consumption.facts(requests),
        )
        refuse_incomplete(left_out)

    def write_header(self, conversation: Conversation, people: Mapping[UUID, User]) -> None:
        if self.as_json:
            self.write_rows([], [header_facts(conversation, people)])
            return
        for line in header(conversation, people):
            self.say(line)

    def write_messages(
        self, messages: Iterable[Message], conversation: Conversation, people: Mapping[UUID, User]
    ) -> int:
        """Write the messages as they arrive; return how many."""
        stdout = cast("IO[str]", self.stdout)
        transcript = Transcript(stdout, people, conversation.member_uuids, len(str(conversation.seq)))
        if not self.as_json:
            transcript.write_heading()
        number = 0
        # The messages themselves show the progress, unless they go to a file.
        hidden = is_terminal(stdout)
        with nullcontext(int) if hidden else self.progress("messages", total=conversation.seq) as advance:
            for message in messages:
                if self.as_json:
                    self.write_rows([], [message_facts(message, people)])
                else:
                    transcript.write(message)
                number += 1
                advance(1)
        return number


def group_meant(which: str, other: str | None) -> tuple[UUID, str]:
    """Return the group's uuid, and the sentence for when it does not exist."""
    if other is None:
        try:
            group_uuid = UUID(which)
        except ValueError:
            msg = f"{printable(which)} is no group's uuid: give one as ddb_list_conversations shows it, or two handles."
            raise UsageError(msg) from None
        return group_uuid, f"There is no conversation {group_uuid}."
    one, two = person_meant(which), person_meant(other)
    if one == two:
        raise UsageError(f"@{one.handle} has no conversation with themselves: give two handles.")
    return pair_group_uuid(one.uuid, two.uuid), f"@{one.handle} and @{two.handle} have no conversation."
