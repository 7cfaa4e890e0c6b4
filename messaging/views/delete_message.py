"""Delete one's own message."""

from __future__ import annotations

from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from messaging.actions import edit_message as edit_message_actions
from messaging.presenters.delete_message import delete_dialog
from users.http import AuthenticatedHttpRequest

from .conversation import render_conversation
from .edit_message import respond_changed
from .message_menu import load_own_message


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def delete_message(request: AuthenticatedHttpRequest, group_uuid: UUID, created_at: str) -> HttpResponse:
    """Ask for confirmation, or delete the message."""
    if request.method != "POST":
        page, message = load_own_message(request, group_uuid, created_at)
        return render_conversation(request, page, delete_dialog=delete_dialog(message))
    delivery = edit_message_actions.delete(
        user_uuid=request.user.uuid, group_uuid=group_uuid, created_at=created_at, now=timezone.now()
    )
    return respond_changed(request, delivery)
