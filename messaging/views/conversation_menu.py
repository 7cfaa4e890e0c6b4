"""The menu of a conversation."""

from __future__ import annotations

from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.views.decorators.http import require_safe

from users.http import AuthenticatedHttpRequest

from .conversation import load_window, render_conversation


@login_required
@require_safe
def conversation_menu(request: AuthenticatedHttpRequest, group_uuid: UUID) -> HttpResponse:
    """Show the conversation with its menu open."""
    return render_conversation(request, load_window(request, group_uuid), menu_open=True)
