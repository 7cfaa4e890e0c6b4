"""The pages with the list of conversations: beside nothing, a thread, or a conversation that has no message yet."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import TypedDict
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone

from messaging.actions import message_requests
from messaging.domain.folders import list_key
from messaging.dynamodb.connection import message_table
from messaging.dynamodb.items import Entry, Message, pair_group_uuid
from messaging.presenters import conversation as thread_view
from messaging.presenters import conversations as inbox_view
from messaging.presenters.composer import composer
from messaging.presenters.conversation_menu import options
from messaging.presenters.conversations import InboxPage, inbox_page
from messaging.presenters.edit_message import Deletion, Menu
from messaging.presenters.edit_message import editing as editing_composer
from messaging.queries import conversations
from messaging.queries.conversations import Thread
from messaging.queries.recent_sends import missing, overlay, recall
from users.authenticated import AuthenticatedHttpRequest
from users.models import User
from users.people import people_by_uuid

from .send_message import Problem, refilled


def conversations_page(request: AuthenticatedHttpRequest, *, before: str | None) -> HttpResponse:
    """The list alone. Raises ValueError when `before` is no cursor."""
    return render(request, "messaging/conversations.html", inbox_context(request, before=before))


def list_page(request: AuthenticatedHttpRequest, template: str, *, which: str, before: str | None) -> HttpResponse:
    """Another list than the inbox, alone. Raises ValueError when `before` is no cursor."""
    found = conversations.inbox(user_uuid=request.user.uuid, before=before, which=which)
    people = people_by_uuid(inbox_view.people_of(found.entries))
    page = inbox_page(
        found.entries, people, older=found.older, first=before is None, now=timezone.now(), url=request.path
    )
    return render(request, template, {"conversation_list": page})


def thread_page(
    request: AuthenticatedHttpRequest,
    thread: Thread,
    *,
    problem: Problem | None = None,
    editing: Message | None = None,
    menu: Menu | None = None,
    deletion: Deletion | None = None,
    menu_open: bool = False,
) -> HttpResponse:
    """A conversation beside the list.

    With a `problem`, its status and the posted text in the form; with a message for `editing`, that one in the form;
    with the menu of a message or of the conversation, or the question whether to delete one, that over it.
    """
    now = timezone.now()
    group_uuid = thread.conversation.group_uuid
    page, people = inbox_and_people(request, also=thread_view.people_of(thread), current=group_uuid, now=now)
    window = thread_view.thread_page(thread, people, now=now)
    if editing:
        form = editing_composer(editing, to=window.name)
    else:
        form = composer(window.url, to=window.name, after=thread.newest_known)
    context = {
        "conversation_list": page,
        "unread": page.unread,
        "conversation": window,
        "composer": refilled(form, problem, request) if problem else form,
        "own_message": thread_view.own_message(request.user.uuid),
        "message_menu": menu,
        "delete_dialog": deletion,
        "conversation_menu": options(thread, now=now),
        "menu_open": menu_open,
    }
    return answered(render(request, "messaging/conversation.html", context), problem)


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
    return answered(render(request, "messaging/first_message.html", context), problem)


class ConversationListContext(TypedDict):
    """Context of the templates that show the list of conversations."""

    conversation_list: InboxPage
    unread: int


def inbox_context(
    request: AuthenticatedHttpRequest,
    *,
    also: Iterable[UUID] = (),
    current: UUID | None = None,
    before: str | None = None,
) -> ConversationListContext:
    """A page of the list; `current` is the conversation that is open. Raises ValueError when `before` is no cursor."""
    page, _ = inbox_and_people(request, also=also, current=current, before=before, now=timezone.now())
    return {"conversation_list": page, "unread": page.unread}


def inbox_and_people(
    request: AuthenticatedHttpRequest,
    *,
    also: Iterable[UUID],
    now: datetime,
    current: UUID | None = None,
    before: str | None = None,
) -> tuple[InboxPage, Mapping[UUID, User]]:
    """A page of the list, with the requests on top of the first one, and the people that it and `also` name."""
    inbox = conversations.inbox(user_uuid=request.user.uuid, before=before)
    entries = caught_up(request, inbox, before=before, now=now)
    requests = message_requests.waiting(request.user, now=now) if before is None else None
    asking = requests.entries if requests else ()
    people = people_by_uuid(inbox_view.people_of([*entries, *asking]) | set(also))
    page = inbox_page(entries, people, older=inbox.older, first=before is None, now=now, current=current)
    if requests and asking:
        page = replace(page, requests=inbox_view.requests_row(asking, people, more=requests.older is not None))
    return page, people


def caught_up(
    request: AuthenticatedHttpRequest, inbox: conversations.Inbox, *, before: str | None, now: datetime
) -> list[Entry]:
    """The entries with the person's own last sends laid over them.

    What the page lacks may lie elsewhere by now, archived or blocked: the entries themselves are asked (1 call more).
    """
    user_uuid, first = request.user.uuid, before.partition("_")[0] if before else None
    sends = recall(request.session, now=now)
    more = inbox.older is not None
    if absent := missing(inbox.entries, sends, before=first, more=more):
        entries = message_table().own_entries(user_uuid, absent)
        elsewhere = {entry.group_uuid for entry in entries if entry.inbox != list_key(user_uuid)}
        sends = [send for send in sends if send.group_uuid not in elsewhere]
    return overlay(inbox.entries, sends, user_uuid=user_uuid, before=first, more=more)


def answered(response: HttpResponse, problem: Problem | None) -> HttpResponse:
    """The page with the status that the problem asks for."""
    if problem:
        response.status_code = problem.status
        if problem.retry_after is not None:
            response["Retry-After"] = str(problem.retry_after)
    return response
