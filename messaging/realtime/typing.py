"""Publish who is typing at most every three seconds, without reading the members from DynamoDB each time."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from threading import Lock
from typing import Generic, TypeVar
from uuid import UUID

from messaging.actions.block import any_blocks
from messaging.domain.entities import Conversation
from messaging.queries import conversations

from . import publish

SECONDS_BETWEEN = 3.0
SECONDS_OF_MEMORY = 60.0
"""How long a process caches a conversation's members."""
KEPT = 10_000

K = TypeVar("K")
V = TypeVar("V")


class _Recent(Generic[K, V]):
    """A thread-safe cache of recent values, each kept for so many seconds."""

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


def remember_members(*, user_uuid: UUID, conversation: Conversation) -> frozenset[UUID]:
    """Cache the members this user may notify: none while one blocks the other or a request is pending."""
    silent = conversation.blocked or conversation.awaiting
    members = frozenset[UUID]() if silent else conversation.member_uuids
    _members.put((user_uuid, conversation.group_uuid), members)
    return members


def is_typing(*, user_uuid: UUID, group_uuid: UUID) -> None:
    """Publish that the user is typing. No DynamoDB call within a minute of the last, else 1.

    Raises ConversationNotFound.
    """
    key = (user_uuid, group_uuid)
    members = _members.get(key)
    if members is None:
        conversation = conversations.as_member(user_uuid=user_uuid, group_uuid=group_uuid)
        members = remember_members(user_uuid=user_uuid, conversation=conversation)
    if _told.get(key) is None:
        _told.put(key, value=True)
        # The cached members may be older than a block.
        if not members or any_blocks(members):
            return
        publish.typing(group_uuid=group_uuid, user_uuid=user_uuid, member_uuids=members)


def forget() -> None:
    """Clear the cache, for tests."""
    _members.clear()
    _told.clear()
