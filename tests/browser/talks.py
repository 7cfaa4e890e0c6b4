"""Conversations for browser tests: many messages at once, and one that comes in while somebody reads."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import uuid4

from django.utils import timezone
from playwright.sync_api import Page

from messaging.actions import read as read_actions
from messaging.actions import send_message
from messaging.domain.entities import Message, pair_group_uuid
from messaging.dynamodb.table import MessageTable
from messaging.realtime import publish
from tests.messaging.talk import write_all
from users.models import User

# Layout shifts that nobody asked for, as the browser measures them, from the first paint on.
MEASURE_SHIFTS = """
window.shifts = [];
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) {
    if (!entry.hadRecentInput) {
      const what = ({ node, previousRect, currentRect }) =>
        [(node?.outerHTML ?? node?.textContent ?? "").slice(0, 100), previousRect.toJSON(), currentRect.toJSON()];
      shifts.push([entry.value, Math.round(entry.startTime), ...entry.sources.map(what)]);
    }
  }
}).observe({ type: "layout-shift", buffered: true });
"""


def talk(
    table: MessageTable,
    writer: str,
    reader: str,
    *,
    number: int,
    read: int = 0,
    until: datetime | None = None,
    apart: timedelta = timedelta(minutes=2),
) -> list[Message]:
    """Store `number` messages by the writer, from "Line 1" on, of which the reader has read some."""
    one, other = (User.objects.get(handle=handle) for handle in (writer, reader))
    end = until or timezone.now() - timedelta(minutes=1)
    lines = [(one.uuid, f"Line {n}", end - apart * (number - n)) for n in range(1, number + 1)]
    messages = write_all(table, lines, members=(one.uuid, other.uuid))
    if read:
        read_actions.mark_read(
            user_uuid=other.uuid, group_uuid=messages[0].group_uuid, created_at=messages[read - 1].created_at
        )
    return messages


def say(writer: str, reader: str, text: str) -> Message:
    """Store a message and publish it to the open pages, as a send from a browser does."""
    one, other = (User.objects.get(handle=handle) for handle in (writer, reader))
    delivery = send_message.send(
        user_uuid=one.uuid,
        group_uuid=pair_group_uuid(one.uuid, other.uuid),
        text=text,
        message_uuid=uuid4(),
        after="",
        now=timezone.now(),
    )
    publish.message_sent(delivery, author=one)
    return delivery.message


def shifts(page: Page) -> list[object]:
    """Return the layout shifts so far of a page opened with MEASURE_SHIFTS, once pending ones are measured."""
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    found: list[object] = page.evaluate("window.shifts")
    return found
