"""Tell the other members that the user is typing."""

from __future__ import annotations

from http import HTTPStatus
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.views.decorators.http import require_POST

from messaging.realtime import typing as typing_events
from users.http import AuthenticatedHttpRequest


@login_required
@require_POST
def typing(request: AuthenticatedHttpRequest, group_uuid: UUID) -> HttpResponse:
    """Publish that the user is typing in this conversation."""
    typing_events.is_typing(user_uuid=request.user.uuid, group_uuid=group_uuid)
    return HttpResponse(status=HTTPStatus.NO_CONTENT)
