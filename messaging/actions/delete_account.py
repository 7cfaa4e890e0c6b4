"""Deleting an account: asked for at once, done in steps that can stop anywhere and be taken again.

1. The row is marked and every session ends: nobody signs in any more, and pages show "Deleted user".
2. The rows of the sessions go, and the Cognito user is disabled and signed out.
3. Every conversation is left: see `leaving`. What was written into others' goes too. Open pages of others follow.
4. The same again, once no request can be under way that began before 1.
5. The Cognito user is deleted, and at last the row is emptied.

Each step finds out by itself what is left to do, so that no step is noted but the first and the last.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction

from messaging.domain.entities import Conversation, pair_group_uuid
from messaging.dynamodb.malformed import MalformedItem
from messaging.dynamodb.table import MessageTable
from messaging.models import BlockedPerson, WrittenOutside
from messaging.realtime import publish
from users import delete_account
from users.cognito.client import CognitoError, UserPool
from users.models import MOCK, User
from users.sessions.sign_out import delete_sessions

from .block import blocked_by
from .leave_conversations import erase_outside, leave_all, leave_one

logger = logging.getLogger(__name__)

REQUESTS_END_WITHIN = timedelta(seconds=60)
"""A request that began before the account was marked may still write: it asks DynamoDB for seconds at most."""


def ask(*, user_uuid: UUID, now: datetime) -> None:
    """Mark the account and sign the person out everywhere; the rest is `steps`. Repeatable; two SQL statements."""
    with transaction.atomic():
        if delete_account.mark(user_uuid=user_uuid, now=now):
            logger.info("the deletion of account %s was asked for", user_uuid)
        publish.user_signed_out(user_uuid)


def steps(
    *, user_uuid: UUID, table: MessageTable, user_pool: Callable[[], UserPool], clock: Callable[[], datetime]
) -> Iterator[float]:
    """Do what is left of the deletion of an account that was asked for; yields after each step.

    What it yields is for how many seconds there is nothing to do before the next. At the end all is done. Raises
    Unavailable, CognitoError, and MalformedItem when all is done that is possible without what is malformed: then, or
    when it is stopped, what is done is done, and others begin it again.
    """
    person = User.objects.get(uuid=user_uuid, deletion_asked_at__isnull=False)
    if person.deleted_at is not None or person.deletion_asked_at is None:
        return
    for _ in delete_sessions(user_uuid):
        yield 0.0
    _disable(person, user_pool)
    yield 0.0
    requests_have_ended = person.deletion_asked_at + REQUESTS_END_WITHIN
    while True:
        began = clock()
        try:
            for conversation in _leave_everything(table, user_uuid, now=began):
                if conversation.begun:
                    publish.conversations_changed([conversation])
                yield 0.0
        except MalformedItem:
            # The account is not deleted as long as something of it may be left.
            if began >= requests_have_ended:
                raise
        if began >= requests_have_ended:
            break
        yield (requests_have_ended - began).total_seconds()
    _delete_in_cognito(person, user_pool)
    yield 0.0
    BlockedPerson.objects.filter(person_id=user_uuid).delete()
    WrittenOutside.objects.filter(person_id=user_uuid).delete()
    delete_account.empty(user_uuid=user_uuid, now=clock())
    logger.info("account %s is deleted", user_uuid)


def _leave_everything(table: MessageTable, user_uuid: UUID, *, now: datetime) -> Iterator[Conversation]:
    """Leave every conversation and erase what was written into others'; yields each after each write into it.

    Raises the first MalformedItem when the rest is done, Unavailable.
    """
    # People they blocked without ever writing to them: no entry tells of such a conversation.
    blocked = (pair_group_uuid(user_uuid, each) for each in blocked_by(user_uuid))
    outside = WrittenOutside.objects.filter(person_id=user_uuid)
    parts = [
        leave_all(table, user_uuid, now=now),
        *(leave_one(table, group_uuid, user_uuid, now=now) for group_uuid in blocked),
        *(erase_outside(table, each.group_uuid, user_uuid, now=now) for each in outside),
    ]
    malformed: list[MalformedItem] = []
    for part in parts:
        try:
            yield from part
        except MalformedItem as error:
            malformed.append(error)
    if malformed:
        raise malformed[0]


def _disable(person: User, user_pool: Callable[[], UserPool]) -> None:
    # What Cognito does not do now is no reason to keep the messages. The deletion does not end without Cognito.
    try:
        if user := _in_cognito(person, user_pool):
            user_pool().disable(user)
            user_pool().sign_out(user)
    except CognitoError as error:
        logger.warning("account %s is being deleted, but is not disabled in Cognito: %s", person.uuid, error)


def _delete_in_cognito(person: User, user_pool: Callable[[], UserPool]) -> None:
    if user := _in_cognito(person, user_pool):
        user_pool().delete_user(user)


def _in_cognito(person: User, user_pool: Callable[[], UserPool]) -> str | None:
    """What Cognito's calls name the person's user by; None where there is none."""
    if person.cognito_user_id == MOCK:
        return None
    user = user_pool().user_of(person.cognito_user_id)
    return user.username if user else None
