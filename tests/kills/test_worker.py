"""A stream worker killed at every moment of its work, and started again."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from uuid import UUID, uuid4

import pytest
from django.utils import timezone

from messaging.actions import read as read_actions
from messaging.actions import send_message
from messaging.domain.entities import pair_group_uuid
from messaging.dynamodb.keys import entry_key
from messaging.dynamodb.schema import stream_arn
from messaging.dynamodb.table import MessageTable
from messaging.stream.checkpoints import PostgresCheckpoints
from messaging.stream.projection import project

from .book import Book, check_conversations, check_entries, contents, is_projected
from .processes import Nursery

pytestmark = pytest.mark.django_db(transaction=True)

ANDREW, BAYKO, LONDO = UUID(int=1), UUID(int=2), UUID(int=3)
AT_MOST = 400
"""Moments of a worker's work, far more than there are."""
SECONDS = 60
"""Far more than it takes."""


@dataclass(slots=True)
class Talk:
    """The conversations of one person with two others."""

    nursery: Nursery
    table: MessageTable
    book: Book

    def says(self, by: UUID, to: UUID, text: str) -> None:
        uuid = uuid4()
        send_message.start(user_uuid=by, other_uuid=to, text=text, message_uuid=uuid, now=timezone.now())
        self.book.sent(by, to, uuid, text)

    def reads(self, by: UUID, other: UUID) -> None:
        """Read all there is."""
        group = pair_group_uuid(by, other)
        conversation = self.table.conversation(group)
        assert conversation is not None
        read_actions.mark_read(user_uuid=by, group_uuid=group, created_at=conversation.last_sk)
        self.book.chapters[group].read[by] = conversation.seq

    def goes_on(self, turn: int) -> None:
        """Send two messages in one conversation and one in the other; read the latter every third time."""
        self.says(ANDREW, BAYKO, f"First, turn {turn}")
        self.says(BAYKO, ANDREW, f"Second, turn {turn}")
        self.says(LONDO, BAYKO, f"Third, turn {turn}")
        if turn % 3 == 0:
            self.reads(BAYKO, LONDO)

    def at_every_moment(self, change: Callable[[int], object]) -> list[str]:
        """Have a worker killed at each moment of its work, and another one take over; returns when they died.

        `change` is done before each time, and makes the lists wrong.
        """
        died: list[str] = []
        for die_at in range(AT_MOST):
            change(die_at)
            doomed = self.nursery.bear("worker", table=self.table.name, die_at=die_at)
            assert doomed.was_killed()
            died.append(doomed.moments()[-1])
            self.takes_over()
            if doomed.is_idle() and any("UpdateItem" in moment for moment in doomed.moments()):
                return died
        raise AssertionError("it never had nothing to do")

    def takes_over(self) -> None:
        """Start another worker, which updates the lists while messages are sent, and kill it too."""
        self.says(LONDO, BAYKO, "After it died")
        successor = self.nursery.bear("worker", table=self.table.name)
        until = time.monotonic() + SECONDS
        while not is_projected(found := contents(self.table)):
            assert time.monotonic() < until, successor.said.read_text()
            time.sleep(0.05)
        successor.kill()
        check_conversations(self.book, found)
        check_entries(self.book, found)

    def ends(self) -> None:
        """Check that replaying the rest of the stream, or projecting every conversation, changes nothing."""
        self.nursery.drain(self.table.name)
        check_entries(self.book, contents(self.table))
        assert project(self.table, self.table.conversations()) == 0


@pytest.fixture
def talk(nursery: Nursery, table: MessageTable) -> Talk:
    return Talk(nursery, table, Book())


def test_lists_are_right_whenever_the_worker_dies(talk: Talk) -> None:
    talk.goes_on(0)
    talk.takes_over()

    died = talk.at_every_moment(talk.goes_on)

    talk.ends()
    assert {"after UpdateItem", "after GetRecords", "after GetShardIterator"} <= set(died)
    assert "after UPDATE messaging_streamcheckpoint" in died


def lose_records(table: MessageTable, _: int) -> None:
    """Put the entries back, as if what the stream said of them had been in a shard that is gone."""
    for member, group in contents(table).entries:
        table.client.update_item(
            TableName=table.name,
            Key=entry_key(member, group),
            UpdateExpression="SET version = :old, last_seq = :old, message = :old_text",
            ExpressionAttributeValues={":old": {"N": "0"}, ":old_text": {"S": "Old"}},
        )
    PostgresCheckpoints(stream_arn(table)).save("shardId-gone", "1")


def test_lists_are_right_whenever_the_worker_dies_in_a_full_projection(talk: Talk, table: MessageTable) -> None:
    talk.goes_on(0)
    talk.nursery.drain(table.name)

    died = talk.at_every_moment(partial(lose_records, table))

    talk.ends()
    assert {"after Scan", "after UpdateItem", "after DELETE messaging_streamcheckpoint"} <= set(died)
