"""Messages of a conversation: by day, continued, new."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

from django.utils import timezone

from messaging.domain.entities import Message
from messaging.domain.timestamps import format_created_at
from messaging.domain.transitions import conversation_after, conversation_from_first, entry_from_conversation
from messaging.presenters.conversation import count_new, days, message_views
from messaging.queries.conversations import ConversationPage
from tests.messaging.talk import ANDREW, BAYKO, GROUP

NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


def thread_of(*lines: tuple[UUID, datetime], read: int = 0, window: slice = slice(None)) -> ConversationPage:
    """Return the page of Andrew, who has read `read` of these messages."""
    messages = [
        Message(GROUP, format_created_at(at), seq, f"Line {seq}", uuid4(), by)
        for seq, (by, at) in enumerate(lines, start=1)
    ]
    conversation = conversation_from_first(messages[0], member_uuids=frozenset((ANDREW, BAYKO)))
    for message in messages[1:]:
        conversation = conversation_after(conversation, message)
    entry = entry_from_conversation(conversation, ANDREW)
    return ConversationPage(conversation, replace(entry, read_seq=read), messages[window])


def test_message_continues_the_one_before_within_five_minutes() -> None:
    minutes = [0, 5, 11, 12]
    writers = [BAYKO, BAYKO, BAYKO, ANDREW]
    thread = thread_of(*((by, NOON + timedelta(minutes=m)) for by, m in zip(writers, minutes, strict=True)), read=4)

    assert [bubble.continued for bubble in message_views(thread, {})] == [False, True, False, False]
    assert [bubble.own for bubble in message_views(thread, {})] == [False, False, False, True]


def test_message_continues_nothing_across_midnight_or_the_divider() -> None:
    midnight = datetime(2026, 11, 21, tzinfo=UTC)
    thread = thread_of(*((BAYKO, midnight + timedelta(minutes=m)) for m in (-1, 1, 2)), read=2)

    assert [(bubble.continued, bubble.new) for bubble in message_views(thread, {})] == [
        (False, 0),
        (False, 0),
        (False, 1),
    ]


def test_only_the_newest_own_message_is_marked_sent() -> None:
    thread = thread_of((ANDREW, NOON), (BAYKO, NOON + timedelta(1)), (ANDREW, NOON + timedelta(2)))

    assert [bubble.sent for bubble in message_views(thread, {})] == [False, False, True]


def test_days_follow_the_active_time_zone() -> None:
    late, early = datetime(2026, 11, 20, 23, 30, tzinfo=UTC), datetime(2026, 11, 21, 0, 30, tzinfo=UTC)
    thread = thread_of((BAYKO, late), (BAYKO, early))

    with timezone.override(ZoneInfo("Europe/Vienna")):
        assert [(day.date, day.label, len(day.messages)) for day in days(thread, {}, now=NOON)] == [
            ("2026-11-21", "Today", 2)
        ]
    assert [day.label for day in days(thread, {}, now=NOON)] == ["Yesterday", "Today"]


def _alternating(count: int) -> list[tuple[UUID, datetime]]:
    return [((ANDREW, BAYKO)[seq % 2], NOON + timedelta(minutes=seq)) for seq in range(count)]


def test_new_count_has_messages_of_others_after_the_last_read() -> None:
    assert count_new(thread_of(*_alternating(6), read=2)) == 2


def test_new_count_includes_messages_outside_the_window() -> None:
    lines = [(ANDREW, NOON), *((BAYKO, NOON + timedelta(minutes=seq)) for seq in range(1, 50))]

    assert count_new(thread_of(*lines, read=1, window=slice(-20, None))) == 49
    assert count_new(thread_of(*lines, read=1, window=slice(0, 20))) == 49
    assert count_new(thread_of(*lines, read=30, window=slice(0, 20))) == 20
    assert count_new(thread_of(*lines, read=50)) == 0
