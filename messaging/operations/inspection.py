"""Let operators inspect anyone's list of conversations, and any conversation's messages in any period.

Membership is NOT checked here: callers see what only members may see. These functions are for commands, run by someone
with access to the table anyway. A view, the admin or an API must never call them; those use
`messaging.queries.conversations`, where loading checks the permission. A test enforces this.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from uuid import UUID

from messaging.domain.entities import Message
from messaging.domain.folders import INBOX
from messaging.dynamodb.malformed import MalformedItem, report
from messaging.dynamodb.message_range import messages_between
from messaging.dynamodb.table import MessageTable
from messaging.queries import conversations
from messaging.queries.conversations import ConversationList

from .periods import Period

LeftOut = Callable[[MalformedItem], object]


@dataclass(frozen=True, slots=True)
class Window:
    """The newest messages of a period, oldest first."""

    messages: Sequence[Message]
    older: str | None
    """The created_at to continue before, for the period's older messages; None if there are none."""


def newest_messages(
    *, table: MessageTable, group_uuid: UUID, period: Period, limit: int, left_out: LeftOut = report
) -> Window:
    """Return the newest `limit` messages of the period (1 call per thousand). Raises Unavailable.

    Calls `left_out` with malformed ones.
    """
    found = list(
        messages_between(
            table, group_uuid, period.first, period.last, newest_first=True, limit=limit + 1, left_out=left_out
        )
    )
    messages = found[:limit][::-1]
    return Window(messages, messages[0].created_at if len(found) > limit else None)


def all_messages(
    *, table: MessageTable, group_uuid: UUID, period: Period, left_out: LeftOut = report
) -> Iterator[Message]:
    """Yield every message of the period, oldest first, lazily (1 call per MB). Raises Unavailable.

    Calls `left_out` with malformed ones.
    """
    return messages_between(table, group_uuid, period.first, period.last, left_out=left_out)


def inbox_pages(
    *, user_uuid: UUID, before: str | None, limit: int | None, which: str = INBOX
) -> Iterator[ConversationList]:
    """Yield pages of one of a user's lists, newest first: `limit` conversations or all (1 call per page).

    The last page's `older` is where to continue. Raises Unavailable; InvalidCursor.
    """
    left = limit
    while True:
        page = conversations.list_conversations(user_uuid=user_uuid, before=before, which=which)
        if left is not None and left < len(page.entries):
            yield ConversationList(
                page.entries[:left], conversations.list_cursor(page.entries[left - 1]), page.left_out
            )
            return
        yield page
        left = None if left is None else left - len(page.entries)
        if page.older is None or left == 0:
            return
        before = page.older
