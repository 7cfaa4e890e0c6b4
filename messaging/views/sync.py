"""Bring an open page up to date: return what it lacks of a conversation."""

from __future__ import annotations

from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse, JsonResponse
from django.template.loader import render_to_string
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from messaging.presenters import conversation as presenter
from messaging.presenters.avatar import person_view
from messaging.presenters.message import message_html
from messaging.presenters.write_permission import write_permission
from messaging.queries.conversations import InvalidCursor
from messaging.queries.sync import Since, since
from messaging.realtime import typing as typing_events
from users.http import AuthenticatedHttpRequest
from users.people import people_by_uuid


@never_cache
@login_required
@require_safe
def sync(request: AuthenticatedHttpRequest, group_uuid: UUID) -> HttpResponse:
    """Return what a page at `version` lacks, which shows `first` to `last` and knows `after` as the newest message."""
    found = since(
        user_uuid=request.user.uuid,
        group_uuid=group_uuid,
        version=parse_version(request.GET.get("version", "")),
        after=request.GET.get("after", ""),
        first=request.GET.get("first", ""),
        last=request.GET.get("last", ""),
    )
    typing_events.remember_members(user_uuid=request.user.uuid, conversation=found.conversation)
    return JsonResponse(
        {
            "version": found.version,
            "last_seq": found.conversation.seq,
            "seen_seq": found.seen_seq,
            "after": found.newest,
            "messages": render_messages(request, found),
            "more": found.more,
            "replace": render_window(found),
            "write_permission": write_permission(found.conversation, request.user.uuid),
        }
    )


def parse_version(text: str) -> int:
    """Return the version, 0 for what is not a number. Raise InvalidCursor for more digits than Python parses."""
    try:
        return int(text) if text.isdecimal() else 0
    except ValueError as error:
        raise InvalidCursor from error


def render_messages(request: AuthenticatedHttpRequest, found: Since) -> list[dict[str, object]]:
    """Return the messages to be added, each rendered by itself."""
    people = people_by_uuid(message.user_uuid for message in found.messages) if found.messages else {}
    return [
        {
            "seq": message.seq,
            "created_at": message.created_at,
            "own": (own := message.user_uuid == request.user.uuid),
            "html": message_html(message, person_view(people.get(message.user_uuid)), own=own),
            # With it the page finds its own copy that is still being sent.
            "message_uuid": str(message.message_uuid) if own else None,
        }
        for message in found.messages
    ]


def render_window(found: Since) -> str | None:
    """Return the window that replaces the page's own, if there is one."""
    if found.window is None:
        return None
    people = people_by_uuid(presenter.people_of(found.window))
    view = presenter.conversation_view(found.window, people, now=timezone.now())
    return render_to_string("messaging/_message_window.html", {"conversation": view})
