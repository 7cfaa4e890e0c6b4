"""The worker projects different conversations side by side; one that fails holds up no other."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Barrier
from uuid import UUID

from messaging.domain.entities import Conversation
from messaging.dynamodb.codec import conversation_item
from messaging.dynamodb.malformed import MalformedItem
from messaging.dynamodb.table import MessageTable
from messaging.stream.apply import project_side_by_side
from messaging.stream.projection import Change, changes

from .talk import ANDREW, BAYKO, LONDO, entry_of, send, start

SECONDS = 5.0


def changed(*conversations: Conversation) -> list[Change]:
    return changes(
        {"dynamodb": {"NewImage": conversation_item(each), "SequenceNumber": str(number)}}
        for number, each in enumerate(conversations)
    )


def going() -> bool:
    """Return False: the worker has not been told to stop."""
    return False


def two_behind(table: MessageTable) -> tuple[list[Change], UUID]:
    """Create two conversations of Andrew's whose entries lack the newest message.

    Return their changes and the uuid of the second.
    """
    groups = [start(by=ANDREW, to=other).group_uuid for other in (BAYKO, LONDO)]
    for group in groups:
        send(by=ANDREW, group=group, text="Newest")
    found = [each for group in groups if (each := table.conversation(group))]
    return changed(*found), groups[1]


@contextmanager
def first_writes_wait_for_each_other(table: MessageTable) -> Iterator[list[str]]:
    """Delay the first write of each of two conversations until the other's arrives or fails."""
    meeting, met = Barrier(2), list[str]()

    def meet(params: dict[str, object], **_: object) -> None:
        if len(met) < 2:
            met.append(str(params))
            meeting.wait(SECONDS)

    table.client.meta.events.register("before-call.dynamodb.UpdateItem", meet)
    try:
        yield met
    finally:
        table.client.meta.events.unregister("before-call.dynamodb.UpdateItem", meet)


def test_two_conversations_are_written_at_the_same_time(table: MessageTable) -> None:
    found, second = two_behind(table)

    with first_writes_wait_for_each_other(table) as met:
        moved = project_side_by_side(table, found, going)

    assert moved == [2, 2]
    assert len(met) == 2
    assert entry_of(table, BAYKO).message == "Newest"
    assert entry_of(table, LONDO, second).message == "Newest"


def test_failed_projection_does_not_stop_the_others(table: MessageTable) -> None:
    found, _ = two_behind(table)
    found[0].image = {**found[0].image, "seq": {"S": "none"}}

    failed, moved = project_side_by_side(table, found, going)

    assert isinstance(failed, MalformedItem)
    assert moved == 2


def test_a_single_one_is_left_to_who_tries_again(table: MessageTable) -> None:
    found, _ = two_behind(table)

    assert project_side_by_side(table, found[:1], going) == [None]
    assert project_side_by_side(table, [], going) == []


def test_stopped_worker_begins_no_other_batch(table: MessageTable) -> None:
    found, _ = two_behind(table)

    assert project_side_by_side(table, found, lambda: True) == [None, None]
