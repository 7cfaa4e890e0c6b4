"""The profile of a user."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from users.http import AuthenticatedHttpRequest
from users.people import person_by_handle


@login_required
@require_safe
def profile(request: AuthenticatedHttpRequest, handle: str) -> HttpResponse:
    """Show the profile of an active user."""
    person = person_by_handle(handle)
    if person is None or not person.is_active:
        raise Http404("Nobody has this handle.")
    return render(request, "users/profile.html", {"person": person, "own": person == request.user})
