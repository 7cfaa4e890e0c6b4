"""A sender's own last sends over a list that lags."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

from django.contrib.sessions.backends.signed_cookies import SessionStore

from messaging.domain.entities import Entry, Message
from messaging.domain.timestamps import format_created_at
from messaging.queries.recent_sends import KEPT, KEPT_FOR, LastSend, overlay, recall, remember
from tests.messaging.talk import ANDREW, BAYKO

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


def at(minutes: float) -> str:
    return format_created_at(NOW + timedelta(minutes=minutes))


def entry(group: int, minutes: float, *, last_seq: int = 4, read_seq: int = 0) -> Entry:
    return Entry(
        user_uuid=ANDREW,
        group_uuid=UUID(int=group),
        member_uuids=frozenset((ANDREW, BAYKO)),
        last_message_at=at(minutes),
        message="theirs",
        last_user_uuid=BAYKO,
        last_seq=last_seq,
        sent_seq=0,
        version=1,
        inbox="GRP#1",
        read_seq=read_seq,
    )


BOTH = frozenset((ANDREW, BAYKO))


def sent(group: int, minutes: float, *, members: frozenset[UUID] = BOTH) -> LastSend:
    return LastSend(UUID(int=group), members, at(minutes), 5, "mine")


def lay(entries: list[Entry], sends: list[LastSend], before: str | None = None, more: bool = False) -> list[Entry]:
    return overlay(entries, sends, user_uuid=ANDREW, before=before, more=more)


def test_a_send_newer_than_its_entry_puts_it_on_top_with_nothing_unread() -> None:
    found = lay([entry(1, 9), entry(2, 1)], [sent(2, 10)])

    assert [each.group_uuid.int for each in found] == [2, 1]
    assert (found[0].message, found[0].last_user_uuid, found[0].unread) == ("mine", ANDREW, 0)
    assert found[0].last_message_at == at(10)


def test_an_entry_that_has_caught_up_stays_as_it_is() -> None:
    entries = [entry(1, 10), entry(2, 1)]

    assert lay(entries, [sent(1, 10), sent(2, 0.5)]) == entries


def test_a_conversation_that_the_list_lacks_is_added() -> None:
    found = lay([entry(1, 1)], [sent(7, 10)])

    assert [each.group_uuid.int for each in found] == [7, 1]
    assert (set(found[0].other_uuids), found[0].unread) == ({BAYKO}, 0)


def test_a_conversation_of_a_later_page_is_not_added_to_this_one() -> None:
    assert lay([entry(1, 5)], [sent(7, 1)], more=True) == [entry(1, 5)]


def test_on_a_later_page_what_has_moved_to_an_earlier_one_is_left_out() -> None:
    assert lay([entry(1, 5), entry(2, 4)], [sent(2, 10), sent(7, 11)], before=at(6)) == [entry(1, 5)]


def test_remember_keeps_one_send_a_conversation_and_the_newest_only() -> None:
    session = SessionStore()
    for number in range(KEPT + 3):
        message = Message(UUID(int=number), at(number), 1, "x" * 300, uuid4(), ANDREW)
        remember(session, message, member_uuids=(ANDREW, BAYKO))
    again = Message(UUID(int=5), at(20), 2, "again", uuid4(), ANDREW)
    remember(session, again, member_uuids=(ANDREW, BAYKO))

    kept = recall(session, now=NOW)

    assert [send.group_uuid.int for send in kept] == [5, 12, 11, 10, 9, 8, 7, 6, 4, 3]
    assert kept[0] == LastSend(UUID(int=5), frozenset((ANDREW, BAYKO)), at(20), 2, "again")
    assert len(kept[1].message) == 200


def test_recall_forgets_after_a_while_without_writing_the_session() -> None:
    session = SessionStore()
    remember(session, Message(UUID(int=1), at(0), 1, "x", uuid4(), ANDREW), member_uuids=(ANDREW, BAYKO))
    session.modified = False

    assert recall(session, now=NOW + KEPT_FOR - timedelta(seconds=1))
    assert not recall(session, now=NOW + KEPT_FOR)
    assert not session.modified
