"""The pages with the list of conversations: beside nothing, a thread, or a conversation that has no message yet."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import TypedDict
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone

from messaging import conversations
from messaging.conversations import Thread
from messaging.items import Entry, Message, pair_group_uuid
from messaging.last_sends import overlay, recall
from messaging.presentation import inbox as inbox_view
from messaging.presentation import thread as thread_view
from messaging.presentation.amending import Deletion, Menu
from messaging.presentation.amending import editing as editing_composer
from messaging.presentation.composer import composer
from messaging.presentation.inbox import InboxPage, inbox_page
from users.authenticated import AuthenticatedHttpRequest
from users.models import User
from users.people import people_by_uuid

from .sending import Problem, refilled


def conversations_page(request: AuthenticatedHttpRequest, *, before: str | None) -> HttpResponse:
    """The list alone. Raises ValueError when `before` is no cursor."""
    now = timezone.now()
    inbox = conversations.inbox(user_uuid=request.user.uuid, before=before)
    entries = caught_up(request, inbox, before=before, now=now)
    people = people_by_uuid(inbox_view.people_of(entries))
    page = inbox_page(entries, people, older=inbox.older, first=before is None, now=now)
    return render(request, "messaging/conversations.html", {"inbox": page, "unread": page.unread})


def thread_page(
    request: AuthenticatedHttpRequest,
    thread: Thread,
    *,
    problem: Problem | None = None,
    editing: Message | None = None,
    menu: Menu | None = None,
    deletion: Deletion | None = None,
) -> HttpResponse:
    """A conversation beside the list.

    With a `problem`, its status and the posted text in the form; with a message for `editing`, that one in the form;
    with the menu of a message, or the question whether to delete one, that over it.
    """
    now = timezone.now()
    inbox = conversations.inbox(user_uuid=request.user.uuid)
    entries = caught_up(request, inbox, before=None, now=now)
    people = people_by_uuid(inbox_view.people_of(entries) | thread_view.people_of(thread))
    window = thread_view.thread_page(thread, people, now=now)
    group_uuid = thread.conversation.group_uuid
    if editing:
        form = editing_composer(editing, to=window.name)
    else:
        form = composer(window.url, to=window.name, after=thread.newest_known)
    page = inbox_page(entries, people, older=inbox.older, first=True, now=now, current=group_uuid)
    context = {
        "inbox": page,
        "unread": page.unread,
        "thread": window,
        "composer": refilled(form, problem, request) if problem else form,
        "own_message": thread_view.own_message(request.user.uuid),
        "menu": menu,
        "deletion": deletion,
    }
    return answered(render(request, "messaging/thread.html", context), problem)


def first_page(
    request: AuthenticatedHttpRequest, person: User, *, url: str, problem: Problem | None = None
) -> HttpResponse:
    """A conversation that has no message yet, beside the list; with a `problem` as in `thread_page`."""
    form = composer(url, to=person.display_name, after="")
    context = {
        **inbox_context(request, also={person.uuid}),
        "person": person,
        "group_uuid": pair_group_uuid(request.user.uuid, person.uuid),
        "composer": refilled(form, problem, request) if problem else form,
        "own_message": thread_view.own_message(request.user.uuid),
    }
    return answered(render(request, "messaging/first.html", context), problem)


class InboxContext(TypedDict):
    """The first page of the list, as the templates with a list beside something else want it."""

    inbox: InboxPage
    unread: int


def inbox_context(
    request: AuthenticatedHttpRequest,
    *,
    also: Iterable[UUID] = (),
    current: UUID | None = None,
    before: str | None = None,
) -> InboxContext:
    """A page of the list; `current` is the conversation that is open. Raises ValueError when `before` is no cursor."""
    now = timezone.now()
    inbox = conversations.inbox(user_uuid=request.user.uuid, before=before)
    entries = caught_up(request, inbox, before=before, now=now)
    people = people_by_uuid(inbox_view.people_of(entries) | set(also))
    page = inbox_page(entries, people, older=inbox.older, first=before is None, now=now, current=current)
    return {"inbox": page, "unread": page.unread}


def caught_up(
    request: AuthenticatedHttpRequest, inbox: conversations.Inbox, *, before: str | None, now: datetime
) -> list[Entry]:
    """The entries with the person's own last sends laid over them."""
    return overlay(
        inbox.entries,
        recall(request.session, now=now),
        user_uuid=request.user.uuid,
        before=before.partition("_")[0] if before else None,
        more=inbox.older is not None,
    )


def answered(response: HttpResponse, problem: Problem | None) -> HttpResponse:
    """The page with the status that the problem asks for."""
    if problem:
        response.status_code = problem.status
        if problem.retry_after is not None:
            response["Retry-After"] = str(problem.retry_after)
    return response
