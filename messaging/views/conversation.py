"""A conversation: reading it, writing into it, noting what was read."""

from __future__ import annotations

from contextlib import suppress
from http import HTTPStatus
from uuid import UUID

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from cruddur.web.errors import bad_request
from messaging.actions.block import any_blocks
from messaging.domain.folders import ARCHIVED, INBOX, list_key
from messaging.dynamodb.client import Unavailable
from messaging.dynamodb.malformed import MalformedItem
from messaging.presenters import conversation as thread_view
from messaging.queries import conversations
from messaging.queries.conversations import ConversationNotFound, MessageNotFound, Thread
from messaging.realtime import publish
from users.authenticated import AuthenticatedHttpRequest
from users.people import people_by_uuid

from .http import keeps_the_message
from .pages import thread_page
from .send_message import Problem, post_message, problem_body, sent


@keeps_the_message
@require_http_methods(["GET", "HEAD", "POST"])
def conversation(request: AuthenticatedHttpRequest, group_uuid: UUID) -> HttpResponse:
    if request.method == "POST":
        return create_message(request, group_uuid)
    cursors = {name: request.GET.get(name) for name in ("before", "after", "around")}
    if any(cursors.values()) or "newest" in request.GET:
        thread = get_thread_or_404(request, group_uuid, **cursors)
    else:
        thread = unread_thread_or_404(request, group_uuid)
    response = thread_page(request, thread)
    if is_being_read(request, thread):
        # After the page was made, so that it shows what was new; and without it the page is as good.
        with suppress(Unavailable, MalformedItem):
            note_read(request, group_uuid, thread.messages[-1].created_at)
    return response


def create_message(request: AuthenticatedHttpRequest, group_uuid: UUID) -> HttpResponse:
    try:
        outcome = post_message(
            request,
            lambda form, on_turn: conversations.send(
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
    except ConversationNotFound as error:
        raise Http404("There is no such conversation.") from error
    if isinstance(outcome, Problem):
        body = problem_body(request, outcome)
        return body or thread_page(request, get_thread_or_404(request, group_uuid), problem=outcome)
    return sent(request, outcome)


@never_cache
@login_required
@require_safe
def message_window(request: AuthenticatedHttpRequest, group_uuid: UUID) -> HttpResponse:
    """The messages before `before`, after `after`, or the newest, without the page around them."""
    cursors = {name: request.GET.get(name) for name in ("before", "after")}
    thread = get_thread_or_404(request, group_uuid, **cursors)
    people = people_by_uuid(thread_view.people_of(thread))
    window = thread_view.thread_page(thread, people, now=timezone.now())
    return render(request, "messaging/_message_window.html", {"conversation": window})


@login_required
@require_POST
def mark_read(request: AuthenticatedHttpRequest, group_uuid: UUID) -> HttpResponse:
    created_at = request.POST.get("created_at", "")
    try:
        note_read(request, group_uuid, created_at)
    except (ConversationNotFound, MessageNotFound) as error:
        raise Http404("There is no such message.") from error
    except ValueError:
        return bad_request(request)
    return HttpResponse(status=HTTPStatus.NO_CONTENT)


def unread_thread_or_404(request: AuthenticatedHttpRequest, group_uuid: UUID) -> Thread:
    """The conversation where the person goes on reading; 404 as below."""
    try:
        return conversations.thread_from_unread(user_uuid=request.user.uuid, group_uuid=group_uuid)
    except ConversationNotFound as error:
        raise Http404("There is no such conversation.") from error


def note_read(request: AuthenticatedHttpRequest, group_uuid: UUID, created_at: str) -> None:
    """Mark read up to this message, and tell the reader's other tabs and the other members. Raises as `mark_read`."""
    entry = conversations.mark_read(user_uuid=request.user.uuid, group_uuid=group_uuid, created_at=created_at)
    # Who had read further already has not read anything now.
    if entry.read_sk == created_at:
        user_uuid = request.user.uuid
        own_lists = (list_key(user_uuid, INBOX), list_key(user_uuid, ARCHIVED))
        # Not of a request, nor where one of them blocks.
        tells = entry.inbox in own_lists and not any_blocks(entry.member_uuids)
        publish.read(
            group_uuid=group_uuid,
            user_uuid=user_uuid,
            seq=entry.read_seq,
            member_uuids=entry.member_uuids if tells else (user_uuid,),
        )


def get_thread_or_404(request: AuthenticatedHttpRequest, group_uuid: UUID, **cursors: str | None) -> Thread:
    """A window of the conversation; 404 for outsiders, for what does not exist and for a cursor that is none."""
    try:
        return conversations.thread(
            user_uuid=request.user.uuid,
            group_uuid=group_uuid,
            before=cursors.get("before") or None,
            after=cursors.get("after") or None,
            around=cursors.get("around") or None,
        )
    except (ConversationNotFound, ValueError) as error:
        raise Http404("There is no such conversation.") from error


def is_being_read(request: AuthenticatedHttpRequest, thread: Thread) -> bool:
    """Whether this load means that its messages are read: for browsers whose script does not say so itself."""
    headers = request.headers
    fetched_ahead = any(
        "prefetch" in headers.get(name, "").lower() for name in ("Sec-Purpose", "Purpose", "X-Purpose", "X-Moz")
    )
    return (
        request.method == "GET"
        and not fetched_ahead
        and settings.COOKIES.timezone not in request.COOKIES
        and goes_on_reading(thread)
    )


def goes_on_reading(thread: Thread) -> bool:
    """Whether the window holds unread messages, and either follows what was read or ends with the newest."""
    done = max(thread.entry.read_seq, thread.conversation.sent_by(thread.entry.user_uuid).seq)
    follows = bool(thread.messages) and thread.messages[0].seq - 1 <= done < thread.messages[-1].seq
    return thread.first_unread is not None and (follows or thread.newer is None)
