"""The menu of a message: edit, link, report, delete."""

from __future__ import annotations

from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from messaging.actions.edit_message import NotTheWriter
from messaging.domain.entities import Message
from messaging.presenters import message_menu as presenter
from messaging.queries.conversations import ConversationPage, MessageNotFound
from users.http import AuthenticatedHttpRequest

from .conversation import load_window, render_conversation


@login_required
@require_safe
def message_menu(request: AuthenticatedHttpRequest, group_uuid: UUID, created_at: str) -> HttpResponse:
    """Show the conversation with the menu of this message open."""
    page, message = load_message(request, group_uuid, created_at)
    own = message.user_uuid == request.user.uuid
    return render_conversation(request, page, message_menu=presenter.message_menu(message, own=own, now=timezone.now()))


def load_own_message(
    request: AuthenticatedHttpRequest, group_uuid: UUID, created_at: str
) -> tuple[ConversationPage, Message]:
    """Load the user's own message and the window around it. Raise NotTheWriter, and what `load_message` raises."""
    page, message = load_message(request, group_uuid, created_at)
    if message.user_uuid != request.user.uuid:
        raise NotTheWriter
    return page, message


def load_message(
    request: AuthenticatedHttpRequest, group_uuid: UUID, created_at: str
) -> tuple[ConversationPage, Message]:
    """Load a message and the window around it.

    Raise ConversationNotFound, InvalidCreatedAt, and MessageNotFound also for a deleted message.
    """
    page = load_window(request, group_uuid, around=created_at)
    for message in page.messages:
        if message.created_at == created_at and not message.deleted_at:
            return page, message
    raise MessageNotFound
