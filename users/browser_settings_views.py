"""What a person chooses for the browser at hand, and the list of keyboard shortcuts."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from cruddur.web.preferences import remember

from .forms import BrowserForm
from .redirects import HttpResponseSeeOther


@login_required
@require_POST
def browser_settings(request: HttpRequest) -> HttpResponse:
    """Keep theme and shortcuts in this browser's cookies; what is no choice of the form counts as the default."""
    form = BrowserForm(request.POST)
    response = HttpResponseSeeOther(reverse("settings"))
    remember(response, form.preferences())
    messages.success(request, _("Saved."))
    return response


@login_required
@require_safe
def shortcuts(request: HttpRequest) -> HttpResponse:
    """The list that `?` opens, as a page."""
    return render(request, "users/shortcuts.html")
