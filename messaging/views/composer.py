"""The composer after a message that was not sent: it keeps the text and says what to do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import wraps
from http import HTTPStatus
from typing import Concatenate, ParamSpec

from django.contrib.auth.decorators import login_required
from django.db import InterfaceError, OperationalError
from django.http import HttpResponse
from django.utils.translation import gettext as _

from cruddur.web.errors import RETRY_AFTER, error_page, unsent_message, wants_json
from messaging.dynamodb.client import Unavailable
from messaging.presenters.composer import Composer
from users.http import AuthenticatedHttpRequest

from .error_responses import row_of

P = ParamSpec("P")


@dataclass(frozen=True, slots=True)
class ComposerProblem:
    """Why a message was not sent, as the composer shows it."""

    status: int
    code: str
    text: str
    needs_new_uuid: bool = False
    """Whether the composer needs a new message_uuid: the posted one is unusable, or belongs to another text."""
    retry_after: int | None = None
    """Seconds."""


def problem_of(exception: Exception) -> ComposerProblem:
    """Return the problem for one of the `COMPOSER_ERRORS`; raise any other exception again."""
    row = row_of(exception)
    if row is None:
        raise exception
    retry_after: int | None = getattr(exception, "retry_after", None)
    return ComposerProblem(row.status, row.code, row.explain(exception), row.needs_new_uuid, retry_after)


def refill_composer(composer: Composer, problem: ComposerProblem, request: AuthenticatedHttpRequest) -> Composer:
    """Return the composer with the posted text in it and the problem above it."""
    composer = replace(composer, text=request.POST.get("message", ""), error=problem.text)
    if problem.needs_new_uuid or composer.editing:
        return composer
    # With the same uuid and the same `after`, sending it again is a repeat. A form without a uuid gets a new one.
    message_uuid = request.POST.get("message_uuid") or composer.message_uuid
    return replace(composer, message_uuid=message_uuid, after=request.POST.get("after", ""))


def problem_json(request: AuthenticatedHttpRequest, problem: ComposerProblem) -> HttpResponse | None:
    """Return the short response for a script, or None where a page is wanted."""
    if not wants_json(request):
        return None
    return error_page(request, problem.status, code=problem.code, retry_after=problem.retry_after)


def with_status(response: HttpResponse, problem: ComposerProblem | None) -> HttpResponse:
    """Set the problem's status and Retry-After on the page that shows it."""
    if problem:
        response.status_code = problem.status
        if problem.retry_after is not None:
            response["Retry-After"] = str(problem.retry_after)
    return response


def keep_message(
    view: Callable[Concatenate[AuthenticatedHttpRequest, P], HttpResponse],
) -> Callable[Concatenate[AuthenticatedHttpRequest, P], HttpResponse]:
    """Require sign-in, and return a posted message in a form when it cannot be stored or its sender is signed out."""
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
