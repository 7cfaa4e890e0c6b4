"""Who is writing: published at most every three seconds, without asking DynamoDB again who the members are."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from threading import Lock
from typing import Generic, TypeVar
from uuid import UUID

from messaging import conversations

from . import publishing

SECONDS_BETWEEN = 3.0
SECONDS_OF_MEMORY = 60.0
"""As long a process believes that the members are still the same."""
KEPT = 10_000

K = TypeVar("K")
V = TypeVar("V")


class _Recent(Generic[K, V]):
    """The newest values, for so many seconds each; for any thread."""

    def __init__(self, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._clock = clock
        self._kept: OrderedDict[K, tuple[float, V]] = OrderedDict()
        self._lock = Lock()

    def get(self, key: K) -> V | None:
        with self._lock:
            at, value = self._kept.get(key, (float("-inf"), None))
            return value if self._clock() - at < self._seconds else None

    def put(self, key: K, value: V) -> None:
        with self._lock:
            self._kept.pop(key, None)
            self._kept[key] = (self._clock(), value)
            if len(self._kept) > KEPT:
                self._kept.popitem(last=False)

    def clear(self) -> None:
        with self._lock:
            self._kept.clear()


_members: _Recent[tuple[UUID, UUID], frozenset[UUID]] = _Recent(SECONDS_OF_MEMORY)
_told: _Recent[tuple[UUID, UUID], bool] = _Recent(SECONDS_BETWEEN)


def remember_members(*, user_uuid: UUID, group_uuid: UUID, member_uuids: frozenset[UUID]) -> None:
    """Note that this person is, as was just read, a member among these."""
    _members.put((user_uuid, group_uuid), member_uuids)


def is_typing(*, user_uuid: UUID, group_uuid: UUID) -> None:
    """Tell the others. No call to DynamoDB within a minute after the last, else 1. Raises ConversationNotFound."""
    key = (user_uuid, group_uuid)
    members = _members.get(key)
    if members is None:
        members = conversations.members(user_uuid=user_uuid, group_uuid=group_uuid)
        _members.put(key, members)
    if _told.get(key) is None:
        _told.put(key, value=True)
        publishing.typing(group_uuid=group_uuid, user_uuid=user_uuid, member_uuids=members)


def forget() -> None:
    """Remember nothing, for tests."""
    _members.clear()
    _told.clear()
