"""Send the message that a composer posts, and respond to a page or a script."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from uuid import UUID

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.middleware.csrf import get_token
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from cruddur.web.errors import error_page, wants_json
from messaging.actions import send_limits
from messaging.actions.send_message import Delivery
from messaging.forms import MessageForm
from messaging.presenters.avatar import person_view
from messaging.presenters.message import message_html
from messaging.queries import recent_sends
from messaging.realtime import publish
from users.http import AuthenticatedHttpRequest, HttpResponseSeeOther

from .composer import ComposerProblem, problem_of
from .error_responses import COMPOSER_ERRORS


@never_cache
@require_safe
def form_token(request: HttpRequest) -> HttpResponse:
    """Return a fresh CSRF token and the user's uuid, so that a page can tell whether it is still the same user's."""
    if not request.user.is_authenticated:
        return error_page(request, HTTPStatus.FORBIDDEN, code="signed_out")
    return JsonResponse({"token": get_token(request), "user": request.user.uuid})


def post_message(
    request: AuthenticatedHttpRequest,
    send: Callable[[MessageForm, Callable[[], None]], Delivery],
    *,
    group_uuid: UUID,
    begins: bool = False,
) -> Delivery | ComposerProblem:
    """Validate the posted form, `send` it, and tell lists and open pages; return the problem if it was not sent.

    `send` receives the form and a function that takes the rate-limit tokens, which it calls once the sender's turn has
    come. `begins` says whether the form starts a conversation. Raise MustWait.
    """

    def take_tokens() -> None:
        now = timezone.now()
        send_limits.take_to_write(request.user, group_uuid, now=now)
        if begins:
            send_limits.take_to_begin(request.user, now=now)

    form = MessageForm(request.POST)
    try:
        if not form.is_valid():
            # An invalid form costs a token as well; a valid one pays when its turn has come.
            send_limits.take_to_write(request.user, group_uuid, now=timezone.now())
            return ComposerProblem(
                HTTPStatus.UNPROCESSABLE_ENTITY, form.error_code, form.error_text, needs_new_uuid=form.incomplete
            )
        delivery = send(form, take_tokens)
    except COMPOSER_ERRORS as exception:
        return problem_of(exception)
    recent_sends.remember(request.session, delivery.message, member_uuids=delivery.member_uuids)
    publish.message_sent(delivery, author=request.user)
    return delivery


def respond_sent(request: AuthenticatedHttpRequest, delivery: Delivery) -> HttpResponse:
    """Redirect to the conversation, or return to a script what was stored and how it looks."""
    message = delivery.message
    url = reverse("conversation", args=[message.group_uuid])
    if not wants_json(request):
        return HttpResponseSeeOther(url)
    stored = {"created_at": message.created_at, "seq": message.seq, "message_uuid": message.message_uuid, "url": url}
    return JsonResponse(stored | render_payload(request, delivery), status=HTTPStatus.CREATED)


def render_payload(request: AuthenticatedHttpRequest, delivery: Delivery) -> dict[str, object]:
    """Return the conversation's version, and the message as its sender sees it, for a script."""
    return {"version": delivery.version, "html": message_html(delivery.message, person_view(request.user), own=True)}
