"""Looks into the queues of a web process, which tell nobody how long they are."""

from __future__ import annotations

from uuid import UUID

from messaging.actions.send_queue import Lines


def is_idle(lines: Lines) -> bool:
    """Return whether nothing is kept."""
    return not lines._lines and not lines._senders


def waiting_in(lines: Lines, group_uuid: UUID) -> int:
    """Return how many requests wait in a conversation."""
    with lines._lock:
        line = lines._lines.get(group_uuid)
        return sum(map(len, line.waiting.values())) if line else 0
