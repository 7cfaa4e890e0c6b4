"""Delete one's own account."""

from __future__ import annotations

from dataclasses import astuple

from django.conf import settings
from django.contrib import auth
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from messaging.actions import delete_account as delete_account_actions
from users.cognito.oidc import cognito_sign_out_url, is_configured
from users.http import AuthenticatedHttpRequest, HttpResponseSeeOther


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def delete_account(request: AuthenticatedHttpRequest) -> HttpResponse:
    """Explain the deletion; once the user has typed their handle, request it and sign out."""
    typed = request.POST.get("handle", "").strip()
    if request.method != "POST":
        return render(request, "messaging/delete_account.html", {})
    if typed.removeprefix("@").casefold() != request.user.handle.casefold():
        error = _("This is not your handle. Nothing was deleted.")
        return render(request, "messaging/delete_account.html", {"typed": typed, "error": error}, status=422)
    delete_account_actions.ask(user_uuid=request.user.uuid, now=timezone.now())
    auth.logout(request)
    response = HttpResponseSeeOther(reverse("account_deleted"))
    # Pages, drafts and unsent messages. Not "cookies", which clears those of every site under the same domain.
    response["Clear-Site-Data"] = '"cache", "storage"'
    for name in astuple(settings.COOKIES):
        response.delete_cookie(name, samesite="Lax")
    return response


@never_cache
@require_safe
def account_deleted(request: HttpRequest) -> HttpResponse:
    """Confirm the deletion, and link to Cognito's sign-out, which remembers the user as well."""
    next_url = cognito_sign_out_url(request) if is_configured() else reverse("landing")
    return render(request, "messaging/account_deleted.html", {"next_url": next_url})
