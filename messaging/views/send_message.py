"""Sending what a form posts: the message, or what stands in its way."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from http import HTTPStatus
from uuid import UUID

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.middleware.csrf import get_token
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from cruddur.web.errors import error_page, wants_json
from cruddur.web.rate_limits import RateLimited, explanation
from messaging.actions import send_limits
from messaging.actions.send_queue import ConversationBusy
from messaging.forms import MessageForm
from messaging.presenters.avatar import face
from messaging.presenters.composer import Composer
from messaging.presenters.message import message_html
from messaging.queries import recent_sends
from messaging.queries.conversations import AwaitingAnswer, Blocked, Delivery, MessageUuidReused
from messaging.realtime import publish
from users.http import AuthenticatedHttpRequest, HttpResponseSeeOther


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a message was not sent, as the page with its form says it."""

    status: int
    code: str
    text: str
    fresh: bool = False
    """Whether the form needs a new uuid: the posted one is unusable, or belongs to another text."""
    retry_after: int | None = None
    """Seconds."""


@never_cache
@require_safe
def form_token(request: HttpRequest) -> HttpResponse:
    """A fresh token for a page whose own has expired, and whose it is: the page must be the same person's."""
    if not request.user.is_authenticated:
        return error_page(request, HTTPStatus.FORBIDDEN, code="signed_out")
    return JsonResponse({"token": get_token(request), "user": request.user.uuid})


def post_message(
    request: AuthenticatedHttpRequest,
    send: Callable[[MessageForm, Callable[[], None]], Delivery],
    *,
    group_uuid: UUID,
    begins: bool = False,
) -> Delivery | Problem:
    """Validate the posted form, see that the sender is not too fast, and `send`; lists and open pages learn of it.

    `send` gets the form and what it has to call once the sender's turn has come: that takes the rate-limit tokens.
    `begins`: whether the form is that of a conversation which has no message yet. Raises MustWait.
    """

    def take_tokens() -> None:
        now = timezone.now()
        send_limits.take_to_write(request.user, group_uuid, now=now)
        if begins:
            send_limits.take_to_begin(request.user, now=now)

    form = MessageForm(request.POST)
    try:
        if not form.is_valid():
            # A form with a mistake costs a token, too; one that is fine when its turn has come.
            send_limits.take_to_write(request.user, group_uuid, now=timezone.now())
            return Problem(HTTPStatus.UNPROCESSABLE_ENTITY, form.error_code, form.error_text, fresh=form.incomplete)
        delivery = send(form, take_tokens)
    except (RateLimited, ConversationBusy) as refused:
        return too_many_requests(refused)
    except MessageUuidReused:
        return Problem(
            HTTPStatus.CONFLICT,
            "message_uuid_reused",
            _("This form had sent another text already. This one is kept: send it again to send both."),
            fresh=True,
        )
    except AwaitingAnswer:
        text = _("Not sent: your first message waits to be accepted. Until then it stays the only one.")
        return Problem(HTTPStatus.CONFLICT, "awaiting_answer", text)
    except Blocked:
        return Problem(HTTPStatus.FORBIDDEN, "blocked", _("Not sent: nothing can be written in this conversation."))
    recent_sends.remember(request.session, delivery.message, member_uuids=delivery.member_uuids)
    publish.message_sent(delivery, author=request.user)
    return delivery


def refilled(composer: Composer, problem: Problem, request: AuthenticatedHttpRequest) -> Composer:
    """The form with what was posted in it and the problem above it."""
    composer = replace(composer, text=request.POST.get("message", ""), error=problem.text)
    if problem.fresh or composer.editing:
        return composer
    # The same uuid and the same `after`, so that sending it again is a repeat.
    # A form that lacks it, and was refused before that was seen, goes on with a new one.
    message_uuid = request.POST.get("message_uuid") or composer.message_uuid
    return replace(composer, message_uuid=message_uuid, after=request.POST.get("after", ""))


def sent(request: AuthenticatedHttpRequest, delivery: Delivery) -> HttpResponse:
    """To the conversation, or for a script what was stored, and how it looks."""
    message = delivery.message
    url = reverse("conversation", args=[message.group_uuid])
    if not wants_json(request):
        return HttpResponseSeeOther(url)
    stored = {"created_at": message.created_at, "seq": message.seq, "message_uuid": message.message_uuid, "url": url}
    return JsonResponse(stored | shown(request, delivery), status=HTTPStatus.CREATED)


def shown(request: AuthenticatedHttpRequest, delivery: Delivery) -> dict[str, object]:
    """What an answer to a script adds: the conversation's version, and the message as its writer sees it."""
    return {"version": delivery.version, "html": message_html(delivery.message, face(request.user), own=True)}


def problem_body(request: AuthenticatedHttpRequest, problem: Problem) -> HttpResponse | None:
    """The short answer for a script, or None where a page is wanted."""
    if not wants_json(request):
        return None
    return error_page(request, problem.status, code=problem.code, retry_after=problem.retry_after)


def too_many_requests(refused: RateLimited | ConversationBusy) -> Problem:
    """Why a message is not accepted now, and when it will be."""
    if isinstance(refused, RateLimited):
        code, text = "too_many_requests", explanation(refused)
    else:
        code = "conversation_busy"
        text = _("A lot is being written here at this moment. What you wrote is kept: send it again.")
    return Problem(HTTPStatus.TOO_MANY_REQUESTS, code, text, retry_after=refused.retry_after)
