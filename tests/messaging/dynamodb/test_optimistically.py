"""Attempts to decide and write by what was read, while others write in between."""

from __future__ import annotations

import pytest

from messaging.dynamodb import table as table_module
from messaging.dynamodb.client import Unavailable
from messaging.dynamodb.table import ATTEMPTS, ConversationMoved, optimistically


def test_first_attempt_uses_what_was_found() -> None:
    assert optimistically(lambda found, number: (found, number), "read before", read_again=lambda _: "") == (
        "read before",
        0,
    )


def test_next_attempt_uses_what_is_read_again() -> None:
    seen: list[str] = []

    def attempt(found: str, number: int) -> int:
        seen.append(found)
        if number < 2:
            raise ConversationMoved(None)
        return number

    assert optimistically(attempt, "first", read_again=lambda _: "again") == 2
    assert seen == ["first", "again", "again"]


@pytest.mark.parametrize("attempts", [ATTEMPTS, 3])
def test_retry_gives_up_after_the_last_attempt(attempts: int) -> None:
    numbers: list[int] = []

    def attempt(_found: None, number: int) -> None:
        numbers.append(number)
        raise ConversationMoved(None)

    with pytest.raises(Unavailable):
        optimistically(attempt, None, read_again=lambda _: None, attempts=attempts)

    assert numbers == list(range(attempts))


def test_other_errors_are_not_retried() -> None:
    def attempt(_found: None, _number: int) -> None:
        raise KeyError

    with pytest.raises(KeyError):
        optimistically(attempt, None, read_again=lambda _: None)


def test_retry_does_not_wait_by_default(monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []
    monkeypatch.setattr(table_module, "sleep", waits.append)

    def attempt(_found: None, number: int) -> None:
        if number == 0:
            raise ConversationMoved(None)

    optimistically(attempt, None, read_again=lambda _: None)
    assert waits == []

    optimistically(attempt, None, read_again=lambda _: None, back_off=0.5)
    assert len(waits) == 1
