"""Edit one's own message."""

from __future__ import annotations

from dataclasses import replace
from http import HTTPStatus
from uuid import UUID

from django.http import HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from cruddur.web.errors import wants_json
from messaging.actions import edit_message as edit_message_actions
from messaging.actions import send_limits
from messaging.actions.send_message import Blocked, Delivery
from messaging.forms import TextForm
from messaging.presenters.message_menu import message_url
from messaging.queries import recent_sends
from messaging.realtime import publish
from users.http import AuthenticatedHttpRequest, HttpResponseSeeOther

from .composer import ComposerProblem, keep_message, problem_json, problem_of
from .conversation import load_window, render_conversation
from .error_responses import COMPOSER_ERRORS
from .message_menu import load_own_message
from .send_message import render_payload


@keep_message
@require_http_methods(["GET", "HEAD", "POST"])
def edit_message(request: AuthenticatedHttpRequest, group_uuid: UUID, created_at: str) -> HttpResponse:
    """Show the message in the composer, or store its new text."""
    if request.method == "POST":
        return save_edit(request, group_uuid, created_at)
    page, message = load_own_message(request, group_uuid, created_at)
    if not edit_message_actions.may_be_edited(message, now=timezone.now()):
        return redirect(message_url(message))
    return render_conversation(request, page, editing=message)


def save_edit(request: AuthenticatedHttpRequest, group_uuid: UUID, created_at: str) -> HttpResponse:
    """Store the posted text, or show it again in the composer with the reason."""
    outcome = apply_edit(request, group_uuid, created_at)
    if isinstance(outcome, Delivery):
        return respond_changed(request, outcome)
    if body := problem_json(request, outcome):
        return body
    if outcome.needs_new_uuid:
        # The message cannot be edited any more: its new text is kept in the composer of a new message.
        return render_conversation(request, load_window(request, group_uuid, around=created_at), problem=outcome)
    page, message = load_own_message(request, group_uuid, created_at)
    return render_conversation(request, page, problem=outcome, editing=message)


def apply_edit(request: AuthenticatedHttpRequest, group_uuid: UUID, created_at: str) -> Delivery | ComposerProblem:
    """Validate the posted text and store it; return the message as stored, or why it was not changed."""
    form = TextForm(request.POST)
    now = timezone.now()
    try:
        if not form.is_valid():
            # An invalid form costs a token as well; a valid one pays when its turn has come.
            send_limits.take_to_write(request.user, group_uuid, now=now)
            error = form.errors.as_data()["message"][0]
            return ComposerProblem(HTTPStatus.UNPROCESSABLE_ENTITY, error.code or "", str(error.message))
        return edit_message_actions.edit(
            user_uuid=request.user.uuid,
            group_uuid=group_uuid,
            created_at=created_at,
            text=form.cleaned_data["message"],
            now=now,
            on_turn=lambda: send_limits.take_to_write(request.user, group_uuid, now=now),
        )
    except Blocked as exception:
        text = _("Not changed: nothing can be written in this conversation.")
        return replace(problem_of(exception), text=text, needs_new_uuid=True)
    except COMPOSER_ERRORS as exception:
        return problem_of(exception)


def respond_changed(request: AuthenticatedHttpRequest, delivery: Delivery) -> HttpResponse:
    """Tell open pages that a message was edited or deleted; redirect to it, or return to a script what is stored."""
    message = delivery.message
    publish.message_edited(delivery, author=request.user)
    recent_sends.amend(request.session, message)
    if not wants_json(request):
        return HttpResponseSeeOther(message_url(message))
    stored = {"created_at": message.created_at, "edited_at": message.edited_at, "deleted_at": message.deleted_at}
    return JsonResponse({**stored, "url": message_url(message), **render_payload(request, delivery)})
