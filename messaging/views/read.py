"""Mark a conversation as read, by a script or by loading its page."""

from __future__ import annotations

from http import HTTPStatus
from uuid import UUID

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.views.decorators.http import require_POST

from cruddur.web.errors import bad_request
from messaging.actions import read as read_actions
from messaging.actions.block import any_blocks
from messaging.domain.folders import ARCHIVED, INBOX, list_key
from messaging.domain.timestamps import InvalidCreatedAt
from messaging.queries.conversations import ConversationPage
from messaging.realtime import publish
from users.http import AuthenticatedHttpRequest


@login_required
@require_POST
def mark_read(request: AuthenticatedHttpRequest, group_uuid: UUID) -> HttpResponse:
    """Mark the conversation as read up to the message `created_at`."""
    try:
        note_read(request, group_uuid, request.POST.get("created_at", ""))
    except InvalidCreatedAt:
        return bad_request(request)
    return HttpResponse(status=HTTPStatus.NO_CONTENT)


def note_read(request: AuthenticatedHttpRequest, group_uuid: UUID, created_at: str) -> None:
    """Mark read up to this message, and tell the reader's other tabs and the other members.

    Raise ConversationNotFound, MessageNotFound, InvalidCreatedAt.
    """
    entry = read_actions.mark_read(user_uuid=request.user.uuid, group_uuid=group_uuid, created_at=created_at)
    # A member who had already read further has not read anything now.
    if entry.read_sk == created_at:
        user_uuid = request.user.uuid
        own_lists = (list_key(user_uuid, INBOX), list_key(user_uuid, ARCHIVED))
        # Senders do not learn that their request was read, nor anything while one member blocks.
        tells = entry.inbox in own_lists and not any_blocks(entry.member_uuids)
        publish.read(
            group_uuid=group_uuid,
            user_uuid=user_uuid,
            seq=entry.read_seq,
            member_uuids=entry.member_uuids if tells else (user_uuid,),
        )


def is_being_read(request: AuthenticatedHttpRequest, page: ConversationPage) -> bool:
    """Return whether loading the page marks its messages as read: only for browsers whose script does not do so."""
    headers = request.headers
    is_prefetch = any(
        "prefetch" in headers.get(name, "").lower() for name in ("Sec-Purpose", "Purpose", "X-Purpose", "X-Moz")
    )
    return (
        request.method == "GET"
        and not is_prefetch
        and settings.COOKIES.timezone not in request.COOKIES
        and continues_reading(page)
    )


def continues_reading(page: ConversationPage) -> bool:
    """Return whether the window has unread messages, and either follows what was read or ends with the newest."""
    done = max(page.entry.read_seq, page.conversation.sent_by(page.entry.user_uuid).seq)
    follows = bool(page.messages) and page.messages[0].seq - 1 <= done < page.messages[-1].seq
    return page.first_unread is not None and (follows or page.newer is None)
