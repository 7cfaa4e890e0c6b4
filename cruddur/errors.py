"""The pages of what goes wrong. A page, or for a script that asks for JSON the status and a short body."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.template import loader
from django.utils.translation import gettext as _

from .origin import is_from_elsewhere
from .rate_limits import waiting

logger = logging.getLogger(__name__)

RETRY_AFTER = 10  # seconds, when a database cannot answer
JSON = "application/json"


def wants_json(request: HttpRequest) -> bool:
    """Whether a script asks, which shows its own page and needs no other."""
    return request.get_preferred_type(["text/html", JSON]) == JSON


def error_page(
    request: HttpRequest,
    status: int,
    *,
    code: str = "",
    template: str = "",
    context: Mapping[str, Any] | None = None,
    retry_after: int | None = None,
) -> HttpResponse:
    """The page of this status (`404.html` by default), or for JSON `{"error": code}`; `retry_after` in seconds."""
    if wants_json(request):
        response: HttpResponse = JsonResponse({"error": code or HTTPStatus(status).phrase}, status=status)
    else:
        context = {"retry_after": retry_after, **(context or {})}
        response = render(request, template or f"{status}.html", context, status=status)
    if retry_after is not None:
        response["Retry-After"] = str(retry_after)
    response["Cache-Control"] = "no-store"
    return response


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return error_page(request, HTTPStatus.BAD_REQUEST)


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return error_page(request, HTTPStatus.FORBIDDEN)


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return error_page(request, HTTPStatus.NOT_FOUND)


def unavailable(request: HttpRequest) -> HttpResponse:
    """DynamoDB or Postgres cannot answer: a page that asks again by itself, where asking again is harmless."""
    context = {"again_url": request.get_full_path() if request.method == "GET" else ""}
    return error_page(request, HTTPStatus.SERVICE_UNAVAILABLE, context=context, retry_after=RETRY_AFTER)


def malformed(request: HttpRequest) -> HttpResponse:
    """What is stored of a conversation cannot be understood; asking again does not help until somebody repairs it."""
    return error_page(request, HTTPStatus.SERVICE_UNAVAILABLE, code="malformed", template="messaging/malformed.html")


def too_many_requests(request: HttpRequest, *, retry_after: int) -> HttpResponse:
    context = {"wait": waiting(retry_after)}
    return error_page(request, HTTPStatus.TOO_MANY_REQUESTS, context=context, retry_after=retry_after)


def server_error(request: HttpRequest) -> HttpResponse:
    """Our mistake: no context processors, no database, no session, as any of them may be what broke.

    The page names an incident; the log has it beside the traceback that Django writes.
    """
    incident = f"{secrets.token_hex(2)}-{secrets.token_hex(2)}"
    logger.error("Incident %s: %s %s", incident, request.method, request.path)
    status = HTTPStatus.INTERNAL_SERVER_ERROR
    if wants_json(request):
        return JsonResponse({"error": status.phrase, "incident": incident}, status=status)
    return HttpResponse(loader.get_template("500.html").render({"incident": incident}), status=status)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form whose token is not ours; a message that was posted with it is kept, to be sent again from here.

    Not for another site's form: its text would stand there as if the reader had written it, a press away from sent.
    """
    logger.warning("CSRF check failed for %s: %s", request.path, reason)
    if "message" in request.POST and not is_from_elsewhere(request):
        return unsent_message(
            request,
            HTTPStatus.FORBIDDEN,
            code="csrf",
            heading=_("Not sent yet"),
            explanation=_(
                "This page was open for too long, or you have signed in again since. "
                "What you wrote is kept below: send it once more."
            ),
        )
    return error_page(
        request,
        HTTPStatus.FORBIDDEN,
        code="csrf",
        context={
            "heading": _("This form has expired"),
            "explanation": _(
                "It was open for too long, or it came from another site. Go back, load the page anew, and try again."
            ),
        },
    )


def unsent_message(
    request: HttpRequest,
    status: int,
    *,
    code: str,
    heading: str,
    explanation: str,
    retry_after: int | None = None,
    sign_in: bool = False,
) -> HttpResponse:
    """A page that keeps a posted message in a form that sends it again as it was, so that a repeat stays a repeat.

    It needs neither DynamoDB nor a session. `sign_in` offers to sign in, in a tab of its own.
    """
    context = {
        "status": int(status),
        "heading": heading,
        "explanation": explanation,
        "sign_in": sign_in,
        "action": request.path,
        "text": request.POST.get("message", ""),
        "hidden": {name: request.POST.get(name, "") for name in ("message_uuid", "after")},
    }
    return error_page(
        request, status, code=code, template="messaging/unsent.html", context=context, retry_after=retry_after
    )
