"""The list of conversations."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.views.decorators.http import require_safe

from users.http import AuthenticatedHttpRequest

from .pages import conversations_page


@login_required
@require_safe
def conversation_list(request: AuthenticatedHttpRequest) -> HttpResponse:
    try:
        return conversations_page(request, before=request.GET.get("before") or None)
    except ValueError as error:
        raise Http404("This is no cursor.") from error
