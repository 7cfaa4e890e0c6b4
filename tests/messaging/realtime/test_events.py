"""Events on their way over the bus."""

from __future__ import annotations

import json
from uuid import UUID, uuid4

import pytest

from messaging.domain.entities import Message
from messaging.realtime.events import (
    PAYLOAD_BYTES,
    EntryChanged,
    Event,
    Malformed,
    MessageEdited,
    MessageSent,
    Read,
    Sender,
    SessionEnded,
    Typing,
    UserSignedOut,
    event_from,
    payloads,
)

ANDREW, BAYKO, GROUP = UUID(int=1), UUID(int=2), UUID(int=3)
MEMBERS = frozenset((ANDREW, BAYKO))
AUTHOR = Sender(ANDREW, "Andrew „Ü“ Brown", "andrewbrown")
AT = "2026-11-21T09:05:00.000000+00:00"


def message(text: str, **more: str) -> Message:
    return Message(GROUP, AT, 7, text, uuid4(), ANDREW, **more)


@pytest.mark.parametrize(
    "event",
    [
        MessageSent(MEMBERS, 9, message('Hello "there"\n\u2028 👋'), AUTHOR),
        MessageEdited(MEMBERS, 9, message("Hullo", edited_at=AT), AUTHOR, newest=True),
        MessageEdited(MEMBERS, 9, message("", deleted_at=AT), AUTHOR, newest=False),
        EntryChanged(MEMBERS, GROUP, 9),
        Read(MEMBERS, GROUP, BAYKO, 6),
        Typing(MEMBERS, GROUP, BAYKO),
        SessionEnded("0123456789abcdef"),
        UserSignedOut(ANDREW),
    ],
    ids=lambda event: type(event).__name__,
)
def test_an_event_arrives_as_it_was_published(event: Event) -> None:
    (payload,) = payloads(event)

    assert event_from(payload) == event


def test_the_longest_ordinary_message_fits() -> None:
    event = MessageSent(MEMBERS, 9, message("👋" * 1024), AUTHOR)

    assert [event_from(payload) for payload in payloads(event)] == [event]


@pytest.mark.parametrize("newest", [True, None])
def test_oversized_event_becomes_a_change_notice_without_text(newest: bool | None) -> None:
    # A control character takes six bytes in JSON.
    large = message("secret" + "\x01" * 1018 * 2)
    event = (
        MessageSent(MEMBERS, 9, large, AUTHOR) if newest is None else MessageEdited(MEMBERS, 9, large, AUTHOR, newest)
    )

    (payload,) = payloads(event)

    assert event_from(payload) == EntryChanged(MEMBERS, GROUP, 9)
    assert "secret" not in payload


@pytest.mark.parametrize("kind", [EntryChanged, Typing])
def test_however_many_members_there_are_all_are_told_in_payloads_that_fit(kind: type) -> None:
    members = frozenset(uuid4() for _ in range(1000))
    event = EntryChanged(members, GROUP, 9) if kind is EntryChanged else Typing(members, GROUP, ANDREW)

    found = list(payloads(event))

    assert max(len(payload.encode()) for payload in found) <= PAYLOAD_BYTES
    assert frozenset().union(*(event_from(payload).members for payload in found)) == members  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "payload",
    ["", "no json", "[]", "null", "{}", '{"kind": "nothing"}', '{"kind": "hint"}', json.dumps({"kind": ["hint"]}),
     json.dumps({"kind": "hint", "members": ["nobody"], "group": GROUP.hex, "version": 1})],
)  # fmt: skip
def test_malformed_event_is_rejected_without_quoting_it(payload: str) -> None:
    with pytest.raises(Malformed) as refusal:
        event_from(payload)

    assert "nobody" not in str(refusal.value)
