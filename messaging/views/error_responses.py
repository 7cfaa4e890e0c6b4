"""The response to each exception that leaves a view: status, page, sentence and JSON code, in one table.

`messaging.middleware.ErrorResponseMiddleware` answers with it. A view catches an exception only to do more than that:
to keep what was written (`COMPOSER_ERRORS`), or to show a page of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from cruddur.web import errors
from cruddur.web.rate_limits import RateLimited, explanation
from messaging.actions.edit_message import MessageIsDeleted, NotTheWriter, TooLateToEdit
from messaging.actions.send_message import AwaitingAnswer, Blocked, MessageRejected, MessageUuidReused
from messaging.actions.send_queue import ConversationBusy, MustWait
from messaging.domain.timestamps import InvalidCreatedAt
from messaging.dynamodb.client import Unavailable
from messaging.dynamodb.malformed import MalformedItem, report
from messaging.queries.conversations import ConversationNotFound, InvalidCursor, MessageNotFound, concerns
from users.models import User
from users.permissions import moderates


@dataclass(frozen=True, slots=True)
class ErrorResponse:
    """How the site answers an exception."""

    status: HTTPStatus
    code: str = ""
    """The error in JSON; the phrase of the status when empty."""
    explanation: Promise | Callable[[Any], str] | str = ""
    """The sentence for the person, or what makes it from the exception."""
    template: str = ""
    """`<status>.html` when empty."""
    keeps_text: bool = False
    """Whether a composer shows the explanation above the text that was not sent."""
    needs_new_uuid: bool = False
    """Whether the composer then needs a new message_uuid: the posted one belongs to another text."""
    respond: Callable[[HttpRequest, Any], HttpResponse] | None = None
    """Makes the response in place of the page, where it depends on more than this row."""

    def explain(self, exception: Exception) -> str:
        """Return the sentence for the person; empty where the page's own is enough."""
        return self.explanation(exception) if callable(self.explanation) else str(self.explanation)


def _unavailable(request: HttpRequest, _exception: Exception) -> HttpResponse:
    return errors.unavailable(request)


def _too_many_requests(request: HttpRequest, exception: RateLimited | ConversationBusy) -> HttpResponse:
    return errors.too_many_requests(request, retry_after=exception.retry_after)


def _malformed(request: HttpRequest, exception: MalformedItem) -> HttpResponse:
    """Tell only moderators and members that there is such a conversation."""
    report(exception)
    if moderates(request.user) or (isinstance(request.user, User) and concerns(exception, request.user.uuid)):
        return errors.malformed(request)
    return errors.not_found(request)


def _accepted(_request: HttpRequest, _exception: MustWait) -> HttpResponse:
    """Answer what no client sees: the send queue handles the request again."""
    return HttpResponse(status=HTTPStatus.ACCEPTED)


NOT_FOUND = ErrorResponse(HTTPStatus.NOT_FOUND)
UNAVAILABLE = ErrorResponse(HTTPStatus.SERVICE_UNAVAILABLE, "unavailable", respond=_unavailable)

RESPONSES: Mapping[type[Exception], ErrorResponse] = {
    # Outsiders get the same answer as for what does not exist.
    ConversationNotFound: NOT_FOUND,
    MessageNotFound: NOT_FOUND,
    NotTheWriter: NOT_FOUND,
    InvalidCreatedAt: NOT_FOUND,
    InvalidCursor: NOT_FOUND,
    Blocked: ErrorResponse(
        HTTPStatus.FORBIDDEN,
        "blocked",
        _("Not sent: nothing can be written in this conversation."),
        keeps_text=True,
    ),
    AwaitingAnswer: ErrorResponse(
        HTTPStatus.CONFLICT,
        "awaiting_answer",
        _("Not sent: your first message waits to be accepted. Until then it stays the only one."),
        keeps_text=True,
    ),
    MessageUuidReused: ErrorResponse(
        HTTPStatus.CONFLICT,
        "message_uuid_reused",
        _("This form had sent another text already. This one is kept: send it again to send both."),
        keeps_text=True,
        needs_new_uuid=True,
    ),
    TooLateToEdit: ErrorResponse(
        HTTPStatus.CONFLICT,
        "too_late_to_edit",
        _(
            "Not changed: a message can be edited for 15 minutes. "
            "What you wrote is kept: you can send it as a new message."
        ),
        keeps_text=True,
        needs_new_uuid=True,
    ),
    MessageIsDeleted: ErrorResponse(
        HTTPStatus.CONFLICT,
        "message_deleted",
        _("Not changed: this message was deleted. What you wrote is kept: you can send it as a new message."),
        keeps_text=True,
        needs_new_uuid=True,
    ),
    # Forms validate the text before an action does.
    MessageRejected: ErrorResponse(HTTPStatus.BAD_REQUEST, "message_rejected"),
    RateLimited: ErrorResponse(
        HTTPStatus.TOO_MANY_REQUESTS, "too_many_requests", explanation, keeps_text=True, respond=_too_many_requests
    ),
    ConversationBusy: ErrorResponse(
        HTTPStatus.TOO_MANY_REQUESTS,
        "conversation_busy",
        _("A lot is being written here at this moment. What you wrote is kept: send it again."),
        keeps_text=True,
        respond=_too_many_requests,
    ),
    MustWait: ErrorResponse(HTTPStatus.ACCEPTED, respond=_accepted),
    Unavailable: UNAVAILABLE,
    OperationalError: UNAVAILABLE,
    InterfaceError: UNAVAILABLE,
    MalformedItem: ErrorResponse(HTTPStatus.SERVICE_UNAVAILABLE, "malformed", respond=_malformed),
}

COMPOSER_ERRORS = tuple(exception for exception, row in RESPONSES.items() if row.keeps_text)
"""Exceptions that a view with a composer catches, to show the posted text again."""


def row_of(exception: Exception) -> ErrorResponse | None:
    """Return the row of the exception's class, or of the nearest base class that has one."""
    return next((RESPONSES[each] for each in type(exception).__mro__ if each in RESPONSES), None)


def error_response(request: HttpRequest, exception: Exception) -> HttpResponse | None:
    """Return the response to an exception; None for a bug, which has no row."""
    row = row_of(exception)
    if row is None:
        return None
    if row.respond:
        return row.respond(request, exception)
    context = {"explanation": text} if (text := row.explain(exception)) else None
    return errors.error_page(request, row.status, code=row.code, template=row.template, context=context)
