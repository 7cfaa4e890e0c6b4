"""A conversation: its page, its messages alone for scripts, and the message that its composer posts."""

from __future__ import annotations

from contextlib import suppress
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from messaging.actions import send_message
from messaging.domain.entities import Message
from messaging.dynamodb.client import Unavailable
from messaging.dynamodb.malformed import MalformedItem
from messaging.presenters import conversation as presenter
from messaging.presenters.composer import composer
from messaging.presenters.conversation_menu import conversation_menu
from messaging.presenters.delete_message import DeleteDialog
from messaging.presenters.edit_message import edit_composer
from messaging.presenters.message_menu import MessageMenu
from messaging.queries import conversations
from messaging.queries.conversations import ConversationPage
from users.http import AuthenticatedHttpRequest
from users.people import people_by_uuid

from .composer import ComposerProblem, keep_message, problem_json, refill_composer, with_status
from .conversations import list_and_people
from .read import is_being_read, note_read
from .send_message import post_message, respond_sent


@keep_message
@require_http_methods(["GET", "HEAD", "POST"])
def conversation(request: AuthenticatedHttpRequest, group_uuid: UUID) -> HttpResponse:
    """Show the conversation where its reader left off, or the window that the query names; store a posted message."""
    if request.method == "POST":
        return create_message(request, group_uuid)
    cursors = {name: request.GET.get(name) for name in ("before", "after", "around")}
    if any(cursors.values()) or "newest" in request.GET:
        page = load_window(request, group_uuid, **cursors)
    else:
        page = conversations.load_from_first_unread(user_uuid=request.user.uuid, group_uuid=group_uuid)
    response = render_conversation(request, page)
    if is_being_read(request, page):
        # After rendering, so that the page still marks what is new; the page does not depend on it.
        with suppress(Unavailable, MalformedItem):
            note_read(request, group_uuid, page.messages[-1].created_at)
    return response


def create_message(request: AuthenticatedHttpRequest, group_uuid: UUID) -> HttpResponse:
    """Store the posted message, or show it again in the composer with the reason."""
    outcome = post_message(
        request,
        lambda form, on_turn: send_message.send(
            user_uuid=request.user.uuid,
            group_uuid=group_uuid,
            text=form.cleaned_data["message"],
            message_uuid=form.cleaned_data["message_uuid"],
            after=form.cleaned_data["after"],
            now=timezone.now(),
            on_turn=on_turn,
        ),
        group_uuid=group_uuid,
    )
    if isinstance(outcome, ComposerProblem):
        body = problem_json(request, outcome)
        return body or render_conversation(request, load_window(request, group_uuid), problem=outcome)
    return respond_sent(request, outcome)


@never_cache
@login_required
@require_safe
def message_window(request: AuthenticatedHttpRequest, group_uuid: UUID) -> HttpResponse:
    """Return the messages before `before`, after `after`, or the newest, without the page around them."""
    cursors = {name: request.GET.get(name) for name in ("before", "after")}
    page = load_window(request, group_uuid, **cursors)
    people = people_by_uuid(presenter.people_of(page))
    view = presenter.conversation_view(page, people, now=timezone.now())
    return render(request, "messaging/_message_window.html", {"conversation": view})


def load_window(request: AuthenticatedHttpRequest, group_uuid: UUID, **cursors: str | None) -> ConversationPage:
    """Load a window of the conversation. Raise ConversationNotFound, InvalidCreatedAt."""
    return conversations.load_conversation(
        user_uuid=request.user.uuid,
        group_uuid=group_uuid,
        before=cursors.get("before") or None,
        after=cursors.get("after") or None,
        around=cursors.get("around") or None,
    )


def render_conversation(
    request: AuthenticatedHttpRequest,
    page: ConversationPage,
    *,
    problem: ComposerProblem | None = None,
    editing: Message | None = None,
    message_menu: MessageMenu | None = None,
    delete_dialog: DeleteDialog | None = None,
    menu_open: bool = False,
) -> HttpResponse:
    """Render the conversation beside the list.

    A `problem` sets the status and puts the posted text into the composer; `editing` puts that message into it.
    The menu of a message, the dialog that deletes one, or the open menu of the conversation is shown over it.
    """
    now = timezone.now()
    group_uuid = page.conversation.group_uuid
    list_view, people = list_and_people(request, also=presenter.people_of(page), current=group_uuid, now=now)
    view = presenter.conversation_view(page, people, now=now)
    if editing:
        form = edit_composer(editing, to=view.name)
    else:
        form = composer(view.url, to=view.name, after=page.newest_known)
    context = {
        "conversation_list": list_view,
        "unread": list_view.unread,
        "conversation": view,
        "composer": refill_composer(form, problem, request) if problem else form,
        "own_message": presenter.own_message(request.user.uuid),
        "conversation_menu": conversation_menu(page, now=now),
        "message_menu": message_menu,
        "delete_dialog": delete_dialog,
        "menu_open": menu_open,
    }
    return with_status(render(request, "messaging/conversation.html", context), problem)
