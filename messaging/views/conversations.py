"""The lists of conversations: the inbox, the archive, and the inbox's rows alone for scripts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import TypedDict
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from messaging.actions import message_requests
from messaging.domain.entities import Entry
from messaging.domain.folders import ARCHIVED, list_key
from messaging.dynamodb.connection import message_table
from messaging.presenters import conversations as presenter
from messaging.presenters.conversations import ConversationListView, conversation_list_view
from messaging.presenters.message_requests import requests_row
from messaging.queries import conversations
from messaging.queries.conversations import InvalidCursor
from messaging.queries.recent_sends import missing, overlay, recall
from users.http import AuthenticatedHttpRequest
from users.models import User
from users.people import people_by_uuid


@login_required
@require_safe
def conversation_list(request: AuthenticatedHttpRequest) -> HttpResponse:
    """Show the inbox without an open conversation."""
    context = list_context(request, before=request.GET.get("before") or None)
    return render(request, "messaging/conversations.html", context)


@login_required
@require_safe
def archive(request: AuthenticatedHttpRequest) -> HttpResponse:
    """Show the archived conversations."""
    return render_folder(request, "messaging/archive.html", ARCHIVED)


@never_cache
@login_required
@require_safe
def conversation_rows(request: AuthenticatedHttpRequest) -> HttpResponse:
    """Return the rows of the inbox alone, and the unread total in X-Unread; `current` is the open conversation."""
    try:
        current = UUID(request.GET["current"]) if request.GET.get("current") else None
    except ValueError as error:
        raise InvalidCursor from error
    context = list_context(request, current=current, before=request.GET.get("before") or None)
    response = render(request, "messaging/_conversation_rows.html", {"conversation_list": context["conversation_list"]})
    response["X-Unread"] = str(context["unread"])
    return response


def render_folder(request: AuthenticatedHttpRequest, template: str, folder: str) -> HttpResponse:
    """Show a page of another folder than the inbox. Raise InvalidCursor, InvalidCreatedAt."""
    before = request.GET.get("before") or None
    found = conversations.list_conversations(user_uuid=request.user.uuid, before=before, which=folder)
    people = people_by_uuid(presenter.people_of(found.entries))
    page = conversation_list_view(
        found.entries, people, older=found.older, first=before is None, now=timezone.now(), url=request.path
    )
    return render(request, template, {"conversation_list": page})


class ConversationListContext(TypedDict):
    """A page of the inbox, for templates that show it beside something else."""

    conversation_list: ConversationListView
    unread: int


def list_context(
    request: AuthenticatedHttpRequest,
    *,
    also: Iterable[UUID] = (),
    current: UUID | None = None,
    before: str | None = None,
) -> ConversationListContext:
    """Return a page of the inbox; `current` is the open conversation. Raise InvalidCursor, InvalidCreatedAt."""
    page, _ = list_and_people(request, also=also, current=current, before=before, now=timezone.now())
    return {"conversation_list": page, "unread": page.unread}


def list_and_people(
    request: AuthenticatedHttpRequest,
    *,
    also: Iterable[UUID],
    now: datetime,
    current: UUID | None = None,
    before: str | None = None,
) -> tuple[ConversationListView, Mapping[UUID, User]]:
    """Return a page of the inbox, and the users that it and `also` name; the first page shows waiting requests."""
    inbox = conversations.list_conversations(user_uuid=request.user.uuid, before=before)
    entries = overlay_recent_sends(request, inbox, before=before, now=now)
    requests = message_requests.waiting(request.user, now=now) if before is None else None
    asking = requests.entries if requests else ()
    people = people_by_uuid(presenter.people_of([*entries, *asking]) | set(also))
    page = conversation_list_view(entries, people, older=inbox.older, first=before is None, now=now, current=current)
    if requests and asking:
        page = replace(page, requests=requests_row(asking, people, more=requests.older is not None))
    return page, people


def overlay_recent_sends(
    request: AuthenticatedHttpRequest, inbox: conversations.ConversationList, *, before: str | None, now: datetime
) -> list[Entry]:
    """Return the entries with the user's recent sends laid over them, which the index may lack.

    A conversation that the page lacks may have been archived or blocked: its entry is then read (1 call more).
    """
    user_uuid, first = request.user.uuid, before.partition("_")[0] if before else None
    sends = recall(request.session, now=now)
    more = inbox.older is not None
    if absent := missing(inbox.entries, sends, before=first, more=more):
        entries = message_table().own_entries(user_uuid, absent)
        elsewhere = {entry.group_uuid for entry in entries if entry.inbox != list_key(user_uuid)}
        sends = [send for send in sends if send.group_uuid not in elsewhere]
    return overlay(inbox.entries, sends, user_uuid=user_uuid, before=first, more=more)
