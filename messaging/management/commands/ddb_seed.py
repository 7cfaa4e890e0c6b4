from __future__ import annotations

import secrets
from argparse import ArgumentTypeError
from datetime import timedelta
from random import Random
from time import perf_counter
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError, CommandParser
from django.utils import timezone

from cruddur.cli import target
from cruddur.cli.base_command import UsageError
from cruddur.net import is_loopback
from messaging.dynamodb.client import patient
from messaging.dynamodb.connection import message_table
from messaging.dynamodb.table import MessageTable
from messaging.dynamodb.tables import find_table
from messaging.management.table_command import TableCommand
from messaging.operations.seeding import THREADS, SyntheticSeeding, seed, seed_conversations
from messaging.operations.synthetic import SPAN, ImpossibleVolume, Volume, synthetic_conversations, volume_of
from users.models import User
from users.synthetic import synthetic_people

MAX_THREADS = 32
VERBOSE = 2


def number(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        msg = f"{text} is no number from 1 up"
        raise ArgumentTypeError(msg)
    return int(text)


class Command(TableCommand):
    help = (
        "Write the conversations of the seed, or any number of invented ones. --users, --conversations and --messages "
        "invent people (@synthetic_1 and so on, who cannot sign in) and conversations over the last two years. By "
        "default 20 messages a conversation and a person for every 5 conversations. Refuses a table that holds "
        "anything, unless --append is given."
    )
    needs = (target.postgres, target.dynamodb)
    examples = (
        "",
        "--append",
        "--messages 100000",
        "--users 2 --conversations 1 --messages 10000 --append",
        "--users 1000 --random-seed 7 --json",
    )
    replaces = ("ddb/seed",)
    when_stopped = "Stopped. What is written stays; run it again with --append: it completes that."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--append", action="store_true", help="keep what the table holds, and add what is missing")
        parser.add_argument("--users", type=number, metavar="N", help="make N invented people; at least 2")
        parser.add_argument(
            "--conversations", type=number, metavar="N", help="with N conversations, at most one for each pair"
        )
        parser.add_argument(
            "--messages", type=number, metavar="N", help="and N messages in all, at least one a conversation"
        )
        parser.add_argument(
            "--random-seed",
            type=number,
            metavar="N",
            help="the same people, conversations, texts and times for the same N and numbers: completes what an "
            "interrupted run began, and writes nothing twice",
        )
        parser.add_argument(
            "--threads", type=number, default=THREADS, metavar="N", help=f"write in N threads ({THREADS})"
        )
        parser.add_argument("--confirm", metavar="TABLE", help="the name of the table, required in production")

    def act(
        self,
        *,
        append: bool,
        users: int | None,
        conversations: int | None,
        messages: int | None,
        random_seed: int | None,
        threads: int,
        confirm: str | None,
        verbosity: int,
        **options: Any,
    ) -> None:
        table = message_table()
        wanted = self.volume(users, conversations, messages)
        if wanted is None and random_seed:
            raise UsageError("--random-seed is for invented conversations: add --messages, say.")
        if threads > MAX_THREADS:
            raise UsageError(f"--threads {threads} is more than {MAX_THREADS}.")
        refuse_production(table, confirm)
        if not append and not table.is_empty():
            raise CommandError(
                f"The table {table.name} is not empty: nothing was written. --append leaves what is there and adds "
                f"what is missing; `manage.py ddb_drop {table.name}` deletes it."
            )
        if wanted is None:
            self.seed(table, verbose=verbosity >= VERBOSE)
        else:
            self.invent(table, wanted, random_seed or 1 + secrets.randbelow(10**6), threads)

    def volume(self, users: int | None, conversations: int | None, messages: int | None) -> Volume | None:
        """Return the requested volume, None if none was requested."""
        if users is conversations is messages is None:
            return None
        try:
            return volume_of(users=users, conversations=conversations, messages=messages)
        except ImpossibleVolume as problem:
            raise UsageError(str(problem)) from problem

    # --- The seed -----------------------------------------------------------------------------------------------------

    def seed(self, table: MessageTable, *, verbose: bool) -> None:
        conversations = seed_conversations()
        handles = {handle for each in conversations for handle in each.between}
        people = dict(User.objects.filter(handle__in=handles).values_list("handle", "uuid"))
        if missing := sorted(handles - people.keys()):
            raise CommandError(f"Nobody is called {', '.join(missing)}: run `manage.py db_seed` first.")
        written = messages = 0
        for each, was_written in seed(table, conversations, people=people, now=timezone.now()):
            if was_written:
                written += 1
                messages += len(each.messages)
                if verbose:
                    self.say(f"  {' and '.join(each.between)}: {len(each.messages)} messages")
        found = len(conversations) - written
        self.done(
            f"{written} conversations with {messages} messages written, {found} were there.",
            table=table.name,
            conversations=written,
            messages=messages,
            found=found,
        )

    # --- Invented ones ------------------------------------------------------------------------------------------------

    def invent(self, table: MessageTable, wanted: Volume, random_seed: int, threads: int) -> None:
        again = (
            f"manage.py ddb_seed --append --users {wanted.users} --conversations {wanted.conversations} "
            f"--messages {wanted.messages} --random-seed {random_seed}"
        )
        self.when_stopped = f"Stopped. What is written stays, and this completes it: {again}"
        self.say(
            f"  {wanted.users:,} people, {wanted.conversations:,} conversations, {wanted.messages:,} messages; "
            f"--random-seed {random_seed}"
        )
        self.say_what_it_takes(table, wanted)
        now = timezone.now()
        with self.progress("people", total=wanted.users) as advance:
            people = synthetic_people(
                wanted.users,
                run=f"{random_seed}/{wanted.users}/{wanted.conversations}/{wanted.messages}",
                created_at=now - SPAN,
                random=Random(random_seed),  # noqa: S311 - names
                made=advance,
            )
        client = patient(table.client, attempts=1, validate=False)  # the writer retries by itself
        # Base times on the users' creation, so that a resumed run produces the same ones.
        seeding = SyntheticSeeding(
            MessageTable(client, table.name), people.created_at + SPAN, threads, completes=people.found
        )
        began = perf_counter()
        try:
            with self.progress("messages", total=wanted.messages) as advance:
                seeding.write(synthetic_conversations(people.uuids, wanted, random_seed=random_seed), advance)
        except Exception:
            self.stderr.write(
                f"{seeding.conversations:,} of {wanted.conversations:,} conversations are whole; this completes the "
                f"others: {again}"
            )
            raise
        seconds = perf_counter() - began
        rate = seeding.messages / seconds
        found = f", {seeding.found:,} of them were there" if seeding.found else ""
        units = f", {seeding.write_units:,.0f} write units" if seeding.write_units else ""
        self.done(
            f"{wanted.users:,} people from @{people.handle(0)} on, {seeding.conversations:,} conversations{found}, "
            f"{seeding.messages:,} messages in {seconds:,.1f} s: {rate:,.0f} messages/s{units}.",
            table=table.name,
            people=wanted.users,
            first_person=people.handle(0),
            conversations=seeding.conversations,
            found=seeding.found,
            messages=seeding.messages,
            seconds=round(seconds, 3),
            messages_per_second=round(rate),
            write_units=seeding.write_units or None,
            random_seed=random_seed,
        )

    def say_what_it_takes(self, table: MessageTable, wanted: Volume) -> None:
        """Print the expected write units where they cost money or time."""
        if is_loopback(table.client.meta.endpoint_url):
            return
        described = find_table(table.client, table.name)
        units = f"  Takes about {wanted.write_units:,.0f} write units"
        if described and described.provisioned:
            a_second = described.provisioned.write
            lasts = in_words(wanted.table_write_units / a_second)
            self.say(f"{units}. At the {a_second} a second that the table has, that lasts {lasts}.")
        else:
            self.say(f"{units}, each of which is paid for.")


def refuse_production(table: MessageTable, confirm: str | None) -> None:
    """Raise CommandError in production unless the table is named, and anywhere if another one is."""
    if confirm is not None and confirm != table.name:
        raise CommandError(f"--confirm {confirm} is not {table.name}: nothing was written.")
    if settings.PRODUCTION and confirm is None:
        raise CommandError(
            "This is production, where invented conversations do not belong: nothing was written. "
            f"If you mean it, add --confirm {table.name}."
        )


def in_words(seconds: float) -> str:
    """Format an approximate duration, as in `3.5 hours`."""
    for unit, length in (("days", timedelta(days=1)), ("hours", timedelta(hours=1)), ("minutes", timedelta(minutes=1))):
        if seconds >= 2 * length.total_seconds():
            return f"{seconds / length.total_seconds():,.1f} {unit}"
    return f"{seconds:,.0f} seconds"
