"""What operators look at: anyone's list of conversations, and any conversation's messages over any time.

Membership is NOT checked here: whoever calls these functions sees what only members may see. They are for commands, run
by someone who has access to the table anyway, and must never be reachable by a view, the admin or an API; those go
through `messaging.queries.conversations`, where loading is the permission check. A test holds the site to that.
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
    """created_at to ask before for what the period has before these; none when they are all."""


def newest_messages(
    *, table: MessageTable, group_uuid: UUID, period: Period, limit: int, left_out: LeftOut = report
) -> Window:
    """The newest `limit` messages of the period (1 call for a thousand). Raises Unavailable.

    Malformed ones are told to `left_out`.
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
    """Every message of the period, oldest first, read while they are taken (1 call for a MB). Raises Unavailable.

    Malformed ones are told to `left_out`.
    """
    return messages_between(table, group_uuid, period.first, period.last, left_out=left_out)


def inbox_pages(
    *, user_uuid: UUID, before: str | None, limit: int | None, which: str = INBOX
) -> Iterator[ConversationList]:
    """The conversations in one of a person's lists, newest first, `limit` of them or all (pattern B, 1 call a page).

    The last page's `older` is where to go on. Raises Unavailable; InvalidCursor.
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
