"""Error responses: a page, or for a script that asks for JSON a short body."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.template import loader
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from .origin import is_from_elsewhere
from .rate_limits import waiting

logger = logging.getLogger(__name__)

RETRY_AFTER = 10  # seconds, when a database cannot answer
JSON = "application/json"


def wants_json(request: HttpRequest) -> bool:
    """Return whether the request is a script's, which needs JSON and not a page."""
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
    """Return the page of this status (`404.html` by default), or JSON `{"error": code}`; `retry_after` in seconds."""
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
    """Answer 400."""
    return error_page(request, HTTPStatus.BAD_REQUEST)


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Answer 403."""
    return error_page(request, HTTPStatus.FORBIDDEN)


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Answer 404."""
    return error_page(request, HTTPStatus.NOT_FOUND)


def unavailable(request: HttpRequest) -> HttpResponse:
    """Answer 503 while DynamoDB or Postgres is away. The page retries by itself if the request was a GET."""
    if holds_text(request):
        return unsent_form(
            request,
            HTTPStatus.SERVICE_UNAVAILABLE,
            code="unavailable",
            heading=_("Back in a moment"),
            explanation=_(
                "We cannot save this right now. What you wrote is kept below: send it again in a few seconds."
            ),
            retry_after=RETRY_AFTER,
        )
    context = {"again_url": request.get_full_path() if request.method == "GET" else ""}
    return error_page(request, HTTPStatus.SERVICE_UNAVAILABLE, context=context, retry_after=RETRY_AFTER)


def malformed(request: HttpRequest) -> HttpResponse:
    """Answer 503 for a malformed item. The page does not retry, because an operator has to repair the item."""
    if holds_text(request):
        return unsent_form(
            request,
            HTTPStatus.SERVICE_UNAVAILABLE,
            code="malformed",
            heading=_("Not sent yet"),
            explanation=_(
                "Something that is stored of this conversation is damaged, and it has to be repaired first. It is "
                "in our log. What you wrote is kept below."
            ),
        )
    return error_page(
        request, HTTPStatus.SERVICE_UNAVAILABLE, code="malformed", template="messaging/malformed_conversation.html"
    )


def too_many_requests(request: HttpRequest, *, retry_after: int) -> HttpResponse:
    """Answer 429 with a page that says when to try again and keeps what was posted."""
    wait = {"wait": waiting(retry_after)}
    if holds_text(request):
        return unsent_form(
            request,
            HTTPStatus.TOO_MANY_REQUESTS,
            code="too_many_requests",
            heading=_("One moment"),
            explanation=_(
                "You have done a lot in a short time. What you wrote is kept below: send it again in %(wait)s."
            )
            % wait,
            retry_after=retry_after,
        )
    return error_page(
        request, HTTPStatus.TOO_MANY_REQUESTS, code="too_many_requests", context=wait, retry_after=retry_after
    )


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer 500 without context processors, database or session, any of which may be broken.

    The page shows the number of an incident, which the log has beside the traceback that Django writes.
    """
    incident = f"{secrets.token_hex(2)}-{secrets.token_hex(2)}"
    logger.error("Incident %s: %s %s", incident, request.method, request.path)
    status = HTTPStatus.INTERNAL_SERVER_ERROR
    if wants_json(request):
        return JsonResponse({"error": status.phrase, "incident": incident}, status=status)
    return HttpResponse(loader.get_template("500.html").render({"incident": incident}), status=status)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Answer 403 to a form with an invalid CSRF token, and keep its text to be sent again."""
    logger.warning("CSRF check failed for %s: %s", request.path, reason)
    if holds_text(request):
        return unsent_form(
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


def session_ended(request: HttpRequest) -> HttpResponse:
    """Answer 403 to a request whose session ended while it was handled, and keep the posted text.

    The message may be stored already: sent again from this page it is a repeat.
    """
    heading = _("You are signed out")
    if holds_text(request):
        return unsent_form(
            request,
            HTTPStatus.FORBIDDEN,
            code="signed_out",
            heading=heading,
            explanation=_("What you wrote is kept below. Sign in again in another tab, then send it from here."),
            sign_in=True,
        )
    context = {"heading": heading, "explanation": _("You signed out, here or in another tab. Sign in again.")}
    return error_page(request, HTTPStatus.FORBIDDEN, code="signed_out", context=context)


# --- Keep the posted text ---------------------------------------------------------------------------------------------

TEXT_FIELDS = {
    "message": _lazy("Your message"),
    "display_name": _lazy("Name"),
    "bio": _lazy("About you"),
    "note": _lazy("What happened"),
    "text": _lazy("Words to the person"),
    "reason": _lazy("Reason"),
}
"""Text fields, and their labels on the page that keeps the posted text."""


def holds_text(request: HttpRequest) -> bool:
    """Return whether the request posts text from a form of this site.

    Text that another site posted is not kept: the page would show it as if the reader had written it.
    """
    written = request.method == "POST" and any(is_text(name, request.POST.get(name, "")) for name in TEXT_FIELDS)
    return written and not is_from_elsewhere(request)


def is_text(name: str, value: str) -> bool:
    """Return whether a person wrote this value: the reason of a report is a choice, a moderator's is a sentence."""
    return name in TEXT_FIELDS and bool(value) and (name != "reason" or " " in value)


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
    """Return a page that keeps a posted message, with the fields that make sending it again a repeat."""
    return unsent_form(
        request,
        status,
        code=code,
        heading=heading,
        explanation=explanation,
        retry_after=retry_after,
        sign_in=sign_in,
        fields=("message", "message_uuid", "after"),
    )


def unsent_form(
    request: HttpRequest,
    status: int,
    *,
    code: str,
    heading: str,
    explanation: str,
    retry_after: int | None = None,
    sign_in: bool = False,
    fields: Iterable[str] | None = None,
) -> HttpResponse:
    """Return a page with the posted `fields`, or all of them, in a form that sends them again.

    It needs neither DynamoDB nor a session. `sign_in` offers to sign in, in another tab.
    """
    names = [name for name in request.POST if name != "csrfmiddlewaretoken"] if fields is None else list(fields)
    posted = [(name, value) for name in names for value in request.POST.getlist(name) or [""]]
    texts = [(name, TEXT_FIELDS[name], value) for name, value in posted if name == "message" or is_text(name, value)]
    context = {
        "status": int(status),
        "heading": heading,
        "explanation": explanation,
        "sign_in": sign_in,
        "action": request.path,
        "texts": texts,
        "hidden": [(name, value) for name, value in posted if (name, TEXT_FIELDS.get(name), value) not in texts],
    }
    return error_page(
        request, status, code=code, template="messaging/unsent_form.html", context=context, retry_after=retry_after
    )
