"""The landing page, where visitors sign in."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_safe

from users.cognito.oidc import has_account_pages
from users.http import requested_next


@require_safe
def landing(request: HttpRequest) -> HttpResponse:
    """Show the sign-in button, or redirect signed-in users to `next`."""
    if request.user.is_authenticated:
        return redirect(requested_next(request))
    account_pages = has_account_pages()
    context = {
        "sign_up_url": reverse("sign_up") if account_pages else None,
        "forgot_password_url": reverse("forgot_password") if account_pages else None,
        "next": requested_next(request),
    }
    return render(request, "landing.html", context)
