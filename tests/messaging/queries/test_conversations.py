"""What pages read of conversations, on moto and on the emulator: permission, order, reach and lists."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from messaging.actions import read as read_actions
from messaging.domain.entities import pair_group_uuid
from messaging.domain.timestamps import format_created_at
from messaging.dynamodb.table import MessageTable
from messaging.queries import conversations
from messaging.queries.conversations import ConversationNotFound
from tests.messaging.talk import ANDREW, BAYKO, GROUP, LONDO, NOW, drain, send, start, write_all
from tests.messaging.unread_total import UnreadTotal, unread_total

pytestmark = pytest.mark.usefixtures("either_table")


def test_outsider_gets_not_found() -> None:
    message = start()
    nowhere = uuid4()

    for group in (GROUP, nowhere):
        with pytest.raises(ConversationNotFound):
            conversations.load_conversation(user_uuid=LONDO, group_uuid=group)
        with pytest.raises(ConversationNotFound):
            send(by=LONDO, group=group)
    with pytest.raises(ConversationNotFound):
        read_actions.mark_read(user_uuid=LONDO, group_uuid=GROUP, created_at=message.created_at)
    assert conversations.list_conversations(user_uuid=LONDO).entries == []
    assert conversations.load_conversation(user_uuid=ANDREW, group_uuid=GROUP).conversation.seq == 1


def test_every_message_is_reached_in_both_directions(either_table: MessageTable) -> None:
    lines = [((ANDREW, BAYKO)[n % 2], str(n), NOW + timedelta(minutes=n)) for n in range(1, 66)]
    write_all(either_table, lines, members=(ANDREW, BAYKO))

    page = conversations.load_conversation(user_uuid=ANDREW, group_uuid=GROUP)
    assert page.newer is None
    backwards = list(page.messages)
    while page.older:
        page = conversations.load_conversation(user_uuid=ANDREW, group_uuid=GROUP, before=page.older)
        backwards = [*page.messages, *backwards]
    assert [m.message for m in backwards] == [str(n) for n in range(1, 66)]

    forwards = list(page.messages)
    while page.newer:
        page = conversations.load_conversation(user_uuid=ANDREW, group_uuid=GROUP, after=page.newer)
        forwards += page.messages
    assert forwards == backwards


def test_around_a_message_it_shows_what_stands_before_and_after(either_table: MessageTable) -> None:
    lines = [(ANDREW, str(n), NOW + timedelta(minutes=n)) for n in range(1, 51)]
    sent = write_all(either_table, lines, members=(ANDREW, BAYKO))

    def around(number: int) -> list[int]:
        page = conversations.load_conversation(user_uuid=ANDREW, group_uuid=GROUP, around=sent[number - 1].created_at)
        return [m.seq for m in page.messages]

    assert around(25) == list(range(15, 35))
    assert around(1) == list(range(1, 21))
    assert around(50)[0] == 40
    assert around(50)[-1] == 50


def test_a_cursor_need_not_be_a_message() -> None:
    start(text="1")
    second = send(text="2", now=NOW + timedelta(minutes=1))
    between = format_created_at(NOW + timedelta(seconds=30))

    assert [
        m.seq for m in conversations.load_conversation(user_uuid=ANDREW, group_uuid=GROUP, before=between).messages
    ] == [1]
    assert conversations.load_conversation(user_uuid=ANDREW, group_uuid=GROUP, after=between).messages == [second]


@pytest.mark.parametrize(
    ("read", "window"), [(0, (1, 20)), (3, (4, 23)), (44, (45, 64)), (45, (46, 65)), (60, (46, 65)), (65, (46, 65))]
)
def test_it_opens_at_the_first_unread_message_where_the_newest_page_does_not_reach_back_to_it(
    moto_table: MessageTable, read: int, window: tuple[int, int]
) -> None:
    lines = [(BAYKO, str(n), NOW + timedelta(minutes=n)) for n in range(1, 66)]
    messages = write_all(moto_table, lines, members=(ANDREW, BAYKO))
    if read:
        read_actions.mark_read(user_uuid=ANDREW, group_uuid=GROUP, created_at=messages[read - 1].created_at)

    page = conversations.load_from_first_unread(user_uuid=ANDREW, group_uuid=GROUP)

    assert (page.messages[0].seq, page.messages[-1].seq) == window


@pytest.mark.parametrize(("written", "window"), [(30, (31, 50)), (60, (46, 65))])
def test_conversation_opens_after_ones_own_last_message(
    moto_table: MessageTable, written: int, window: tuple[int, int]
) -> None:
    lines = [(ANDREW if n == written else BAYKO, str(n), NOW + timedelta(minutes=n)) for n in range(1, 66)]
    write_all(moto_table, lines, members=(ANDREW, BAYKO))

    page = conversations.load_from_first_unread(user_uuid=ANDREW, group_uuid=GROUP)

    assert (page.messages[0].seq, page.messages[-1].seq) == window


@pytest.mark.parametrize("cursor", ["#CONVERSATION", "0", "2026", "x" * 2000])
def test_a_cursor_that_is_no_created_at_is_refused(cursor: str) -> None:
    start()

    for direction in ("before", "after", "around"):
        with pytest.raises(ValueError):  # noqa: PT011
            conversations.load_conversation(user_uuid=ANDREW, group_uuid=GROUP, **{direction: cursor})
    with pytest.raises(ValueError):  # noqa: PT011
        conversations.list_conversations(user_uuid=ANDREW, before=cursor)


def test_a_list_is_newest_first_and_complete_across_pages_and_years(either_table: MessageTable) -> None:
    others = [uuid4() for _ in range(45)]
    last_year = datetime(2025, 12, 31, 23, 59, tzinfo=UTC)
    for days, other in enumerate(others):
        write_all(either_table, [(other, "Hello", last_year - timedelta(days=days))], members=(other, ANDREW))

    page = conversations.list_conversations(user_uuid=ANDREW)
    entries = list(page.entries)
    assert len(entries) == conversations.PAGE_SIZE
    while page.older:
        page = conversations.list_conversations(user_uuid=ANDREW, before=page.older)
        entries += page.entries

    assert [entry.group_uuid for entry in entries] == [pair_group_uuid(ANDREW, other) for other in others]


def test_a_full_last_page_has_no_next_one() -> None:
    for minutes in range(conversations.PAGE_SIZE):
        start(by=uuid4(), to=ANDREW, now=NOW + timedelta(minutes=minutes))

    assert conversations.list_conversations(user_uuid=ANDREW).older is None


def test_once_projected_the_conversation_is_on_top_and_unread(either_table: MessageTable) -> None:
    start(to=BAYKO)
    start(to=LONDO, now=NOW + timedelta(minutes=1))
    send(by=BAYKO, text="Me again", now=NOW + timedelta(minutes=2))

    drain(either_table)

    first, second = conversations.list_conversations(user_uuid=ANDREW).entries
    assert (first.message, first.unread) == ("Me again", 1)
    assert second.unread == 0
    assert unread_total(user_uuid=ANDREW, now=NOW) == UnreadTotal(1, more=False)


def test_the_first_unread_is_the_first_of_others_after_the_one_last_read(either_table: MessageTable) -> None:
    first = start(by=BAYKO, to=ANDREW)
    read_actions.mark_read(user_uuid=ANDREW, group_uuid=GROUP, created_at=first.created_at)
    send(by=ANDREW)
    third = send(by=BAYKO)
    send(by=BAYKO)

    assert conversations.load_conversation(user_uuid=ANDREW, group_uuid=GROUP).first_unread == third


def test_conversation_of_two_users_is_found() -> None:
    assert conversations.existing_with(user_uuid=ANDREW, other_uuid=BAYKO) is None

    start()

    assert conversations.existing_with(user_uuid=BAYKO, other_uuid=ANDREW) == GROUP
