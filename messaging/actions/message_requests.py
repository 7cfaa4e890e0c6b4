"""Requests: a first message from somebody one has never written to, which waits until it is accepted.

The conversation's item says who is awaited to accept; until then its first message stays the only one.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings

from messaging.domain.entities import Conversation
from messaging.domain.folders import REQUESTS
from messaging.dynamodb.connection import message_table
from messaging.dynamodb.table import ConversationMoved
from messaging.queries.conversations import ConversationList, as_member, list_conversations, visible_to
from users.models import NOBODY, User

from .conversation_settings import change_own_entry
from .send_message import Blocked, Opening

SETTLED = timedelta(minutes=5)
"""By then a request is stored, and the index has it, or there will be none."""


def opening_to(person: User) -> Opening:
    """What becomes of a first message to this person from somebody they do not know."""
    if person.may_write == NOBODY:
        return Opening.CLOSED
    return Opening.REQUEST if settings.MESSAGE_REQUESTS else Opening.FREE


def expect(person: User, *, now: datetime) -> None:
    """Note that a request may be waiting for this person from now on; before it is stored (1 SQL statement).

    So pages of people without requests need not ask DynamoDB for them.
    """
    User.objects.filter(pk=person.pk).update(requested_at=now)


def waiting(person: User, *, now: datetime) -> ConversationList:
    """Return the first page of requests to the user (1 call; none if nobody sent one).

    Clears the user's `requested_at` once no request is left.
    """
    if person.requested_at is None:
        return ConversationList((), None)
    page = list_conversations(user_uuid=person.uuid, which=REQUESTS)
    if not page.entries and now - person.requested_at > SETTLED:
        User.objects.filter(pk=person.pk, requested_at=person.requested_at).update(requested_at=None)
    return page


def accept(*, user_uuid: UUID, group_uuid: UUID) -> Conversation:
    """Let the other write on, and move the conversation into one's inbox (2 calls). Done already changes nothing.

    Returns the conversation as it is then. Raises ConversationNotFound, and Blocked where one blocks the other.
    """
    table = message_table()
    conversation = as_member(user_uuid=user_uuid, group_uuid=group_uuid)
    if conversation.awaiting != user_uuid:
        return conversation
    if user_uuid in conversation.blocked_by:
        raise Blocked
    try:
        return table.accept(conversation, user_uuid)
    except ConversationMoved as moved:
        # Accepted meanwhile, perhaps by an answer; or blocked.
        now = visible_to(moved.now, user_uuid)
        if user_uuid in now.blocked_by:
            raise Blocked from moved
        return now


def decline(*, user_uuid: UUID, group_uuid: UUID) -> None:
    """Take a request out of one's lists; the other sees no difference (1 call). Raises ConversationNotFound."""
    change_own_entry(user_uuid, group_uuid, lambda table: table.move(user_uuid, group_uuid, REQUESTS, None))
