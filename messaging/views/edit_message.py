"""A message: what can be done with it; one's own: editing it, deleting it."""

from __future__ import annotations

from http import HTTPStatus
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from cruddur.web.errors import wants_json
from cruddur.web.rate_limits import RateLimited
from messaging.actions import edit_message as edit_message_actions
from messaging.actions import send_limits
from messaging.actions.edit_message import MessageIsDeleted, NotTheWriter, TooLateToEdit
from messaging.actions.send_queue import ConversationBusy
from messaging.dynamodb.items import Message
from messaging.forms import TextForm
from messaging.presenters import edit_message as edit_message_module
from messaging.queries import recent_sends
from messaging.queries.conversations import Blocked, ConversationNotFound, Delivery, MessageNotFound, Thread
from messaging.realtime import publish
from users.authenticated import AuthenticatedHttpRequest
from users.redirects import HttpResponseSeeOther

from .conversation import get_thread_or_404
from .http import keeps_the_message
from .pages import thread_page
from .send_message import Problem, problem_body, shown, too_many_requests


@login_required
@require_safe
def message_actions(request: AuthenticatedHttpRequest, group_uuid: UUID, created_at: str) -> HttpResponse:
    thread, message = message_or_404(request, group_uuid, created_at)
    own = message.user_uuid == request.user.uuid
    return thread_page(request, thread, menu=edit_message_module.menu(message, own=own, now=timezone.now()))


@keeps_the_message
@require_http_methods(["GET", "HEAD", "POST"])
def edit_message(request: AuthenticatedHttpRequest, group_uuid: UUID, created_at: str) -> HttpResponse:
    if request.method == "POST":
        return change_message(request, group_uuid, created_at)
    thread, message = own_message_or_404(request, group_uuid, created_at)
    if not edit_message_actions.may_be_edited(message, now=timezone.now()):
        return redirect(edit_message_module.message_url(message))
    return thread_page(request, thread, editing=message)


def change_message(request: AuthenticatedHttpRequest, group_uuid: UUID, created_at: str) -> HttpResponse:
    outcome = changed(request, group_uuid, created_at)
    if isinstance(outcome, Delivery):
        return amended(request, outcome)
    if body := problem_body(request, outcome):
        return body
    if outcome.fresh:
        # What cannot be edited any more leaves its text in the form of a new message.
        return thread_page(request, get_thread_or_404(request, group_uuid, around=created_at), problem=outcome)
    thread, message = own_message_or_404(request, group_uuid, created_at)
    return thread_page(request, thread, problem=outcome, editing=message)


def changed(request: AuthenticatedHttpRequest, group_uuid: UUID, created_at: str) -> Delivery | Problem:
    """The message as it is now stored, or what stands in the way."""
    form = TextForm(request.POST)
    now = timezone.now()
    try:
        if not form.is_valid():
            # A form with a mistake costs a token, too; one that is fine when its turn has come.
            send_limits.take_to_write(request.user, group_uuid, now=now)
            error = form.errors.as_data()["message"][0]
            return Problem(HTTPStatus.UNPROCESSABLE_ENTITY, error.code or "", str(error.message))
        return edit_message_actions.edit(
            user_uuid=request.user.uuid,
            group_uuid=group_uuid,
            created_at=created_at,
            text=form.cleaned_data["message"],
            now=now,
            on_turn=lambda: send_limits.take_to_write(request.user, group_uuid, now=now),
        )
    except (RateLimited, ConversationBusy) as refused:
        return too_many_requests(refused)
    except TooLateToEdit:
        text = _(
            "Not changed: a message can be edited for 15 minutes. "
            "What you wrote is kept: you can send it as a new message."
        )
        return Problem(HTTPStatus.CONFLICT, "too_late_to_edit", text, fresh=True)
    except MessageIsDeleted:
        text = _("Not changed: this message was deleted. What you wrote is kept: you can send it as a new message.")
        return Problem(HTTPStatus.CONFLICT, "message_deleted", text, fresh=True)
    except Blocked:
        text = _("Not changed: nothing can be written in this conversation.")
        return Problem(HTTPStatus.FORBIDDEN, "blocked", text, fresh=True)
    except (ConversationNotFound, MessageNotFound, NotTheWriter, ValueError) as error:
        raise Http404("There is no such message.") from error


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def delete_message(request: AuthenticatedHttpRequest, group_uuid: UUID, created_at: str) -> HttpResponse:
    if request.method != "POST":
        thread, message = own_message_or_404(request, group_uuid, created_at)
        return thread_page(request, thread, deletion=edit_message_module.deletion(message))
    try:
        delivery = edit_message_actions.delete(
            user_uuid=request.user.uuid, group_uuid=group_uuid, created_at=created_at, now=timezone.now()
        )
    except (ConversationNotFound, MessageNotFound, NotTheWriter, ValueError) as error:
        raise Http404("There is no such message.") from error
    return amended(request, delivery)


def own_message_or_404(request: AuthenticatedHttpRequest, group_uuid: UUID, created_at: str) -> tuple[Thread, Message]:
    """The person's own message and the conversation around it; 404 for others' messages and for tombstones."""
    thread, message = message_or_404(request, group_uuid, created_at)
    if message.user_uuid != request.user.uuid:
        raise Http404("There is no such message.")
    return thread, message


def message_or_404(request: AuthenticatedHttpRequest, group_uuid: UUID, created_at: str) -> tuple[Thread, Message]:
    """A message and the conversation around it; 404 for tombstones."""
    thread = get_thread_or_404(request, group_uuid, around=created_at)
    for message in thread.messages:
        if message.created_at == created_at and not message.deleted_at:
            return thread, message
    raise Http404("There is no such message.")


def amended(request: AuthenticatedHttpRequest, delivery: Delivery) -> HttpResponse:
    """To the message in its conversation, or for a script what is stored, and how it looks; open pages learn of it."""
    message = delivery.message
    publish.message_edited(delivery, author=request.user)
    recent_sends.amend(request.session, message)
    if not wants_json(request):
        return HttpResponseSeeOther(edit_message_module.message_url(message))
    stored = {"created_at": message.created_at, "edited_at": message.edited_at, "deleted_at": message.deleted_at}
    return JsonResponse({**stored, "url": edit_message_module.message_url(message), **shown(request, delivery)})
