"""The list of keyboard shortcuts."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe


@login_required
@require_safe
def shortcuts(request: HttpRequest) -> HttpResponse:
    """Show as a page the list that `?` opens."""
    return render(request, "users/shortcuts.html")
