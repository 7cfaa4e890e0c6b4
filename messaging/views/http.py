"""Requests of people who are signed in, and what keeps a message from getting lost when they are not."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from http import HTTPStatus
from typing import Concatenate, ParamSpec

from django.contrib.auth.decorators import login_required
from django.db import InterfaceError, OperationalError
from django.http import HttpResponse
from django.utils.translation import gettext as _

from cruddur.web.errors import RETRY_AFTER, unsent_message
from messaging.dynamodb.client import Unavailable
from users.http import AuthenticatedHttpRequest

P = ParamSpec("P")


def keeps_the_message(
    view: Callable[Concatenate[AuthenticatedHttpRequest, P], HttpResponse],
) -> Callable[Concatenate[AuthenticatedHttpRequest, P], HttpResponse]:
    """For signed-in people; a message posted while signed out, or while it cannot be stored, comes back in a form."""
    signed_in_view = login_required(view)

    @wraps(view)
    def wrapped(request: AuthenticatedHttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        if request.method != "POST":
            return signed_in_view(request, *args, **kwargs)
        try:
            if not request.user.is_authenticated:
                return unsent_message(
                    request,
                    HTTPStatus.FORBIDDEN,
                    code="signed_out",
                    heading=_("You are signed out"),
                    explanation=_(
                        "What you wrote is kept below. Sign in again in another tab, then send it from here."
                    ),
                    sign_in=True,
                )
            return view(request, *args, **kwargs)
        except (Unavailable, OperationalError, InterfaceError):
            return unsent_message(
                request,
                HTTPStatus.SERVICE_UNAVAILABLE,
                code="unavailable",
                heading=_("Back in a moment"),
                explanation=_(
                    "We cannot reach your messages right now. They are safe, and what you wrote is kept below: "
                    "send it again in a few seconds. It arrives once, however often you press."
                ),
                retry_after=RETRY_AFTER,
            )

    return wrapped  # type: ignore[return-value] # mypy names the request, the type cannot
