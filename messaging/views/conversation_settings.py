"""What a member does with a conversation for themselves: its menu, mute, archive, mark unread; requests."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import wraps
from typing import ParamSpec
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse, JsonResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from cruddur.web.errors import bad_request
from messaging.actions import conversation_settings, message_requests
from messaging.domain.folders import ARCHIVED, REQUESTS, list_key
from messaging.dynamodb.connection import message_table
from messaging.queries.conversations import Blocked, ConversationNotFound
from messaging.realtime import publish
from users.authenticated import AuthenticatedHttpRequest
from users.redirects import HttpResponseSeeOther

from .conversation import get_thread_or_404
from .pages import list_page, thread_page

MUTE_FOR = {"hour": timedelta(hours=1), "day": timedelta(days=1), "always": None}

P = ParamSpec("P")


def members_only(view: Callable[P, HttpResponse]) -> Callable[P, HttpResponse]:
    """404 for whoever is no member of the conversation, and where there is none."""

    @wraps(view)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        try:
            return view(*args, **kwargs)
        except ConversationNotFound as error:
            raise Http404("There is no such conversation.") from error

    return wrapped


@login_required
@require_safe
def requests(request: AuthenticatedHttpRequest) -> HttpResponse:
    return _list(request, "messaging/message_requests.html", REQUESTS)


@login_required
@require_safe
def archived(request: AuthenticatedHttpRequest) -> HttpResponse:
    return _list(request, "messaging/archive.html", ARCHIVED)


@login_required
@require_safe
def options(request: AuthenticatedHttpRequest, group_uuid: UUID) -> HttpResponse:
    """The conversation with its menu open."""
    return thread_page(request, get_thread_or_404(request, group_uuid), menu_open=True)


@login_required
@require_POST
@members_only
def mute(request: AuthenticatedHttpRequest, group_uuid: UUID) -> HttpResponse:
    """`for` an hour, a day, always; or off."""
    how = request.POST.get("for", "")
    if how == "off":
        conversation_settings.unmute(user_uuid=request.user.uuid, group_uuid=group_uuid)
    elif how in MUTE_FOR:
        length = MUTE_FOR[how]
        until = timezone.now() + length if length else None
        conversation_settings.mute(user_uuid=request.user.uuid, group_uuid=group_uuid, until=until)
    else:
        return bad_request(request)
    return _changed(request, group_uuid, reverse("conversation", args=[group_uuid]))


@login_required
@require_POST
@members_only
def archive(request: AuthenticatedHttpRequest, group_uuid: UUID) -> HttpResponse:
    """Into the archive, or with `to=inbox` back."""
    if request.POST.get("to") == "inbox":
        conversation_settings.unarchive(user_uuid=request.user.uuid, group_uuid=group_uuid)
        return _changed(request, group_uuid, reverse("conversation", args=[group_uuid]))
    conversation_settings.archive(user_uuid=request.user.uuid, group_uuid=group_uuid)
    return _changed(request, group_uuid, reverse("conversations"))


@login_required
@require_POST
@members_only
def mark_unread(request: AuthenticatedHttpRequest, group_uuid: UUID) -> HttpResponse:
    entry = conversation_settings.mark_unread(user_uuid=request.user.uuid, group_uuid=group_uuid)
    publish.conversation_changed(group_uuid=group_uuid, member_uuids=(request.user.uuid,), read_seq=entry.read_seq)
    return HttpResponseSeeOther(reverse("conversations"))


@login_required
@require_POST
@members_only
def answer_request(request: AuthenticatedHttpRequest, group_uuid: UUID) -> HttpResponse:
    """Accept a request, which the other notices, or decline it, which nobody does."""
    user_uuid, url = request.user.uuid, reverse("conversation", args=[group_uuid])
    match request.POST.get("answer"):
        case "accept":
            try:
                conversation = message_requests.accept(user_uuid=user_uuid, group_uuid=group_uuid)
            except Blocked:
                return HttpResponseSeeOther(url)
            publish.conversation_changed(group_uuid=group_uuid, member_uuids=conversation.member_uuids)
            return HttpResponseSeeOther(url)
        case "decline":
            message_requests.decline(user_uuid=user_uuid, group_uuid=group_uuid)
            return _changed(request, group_uuid, reverse("conversations"))
    return bad_request(request)


@never_cache
@login_required
@require_safe
def alert(request: AuthenticatedHttpRequest, group_uuid: UUID) -> HttpResponse:
    """Whether a new message in this conversation is worth a notification: in the inbox, and not muted (1 call)."""
    user_uuid = request.user.uuid
    entries = message_table().own_entries(user_uuid, [group_uuid])
    worth = [each for each in entries if each.inbox == list_key(user_uuid) and not each.is_muted(timezone.now())]
    return JsonResponse({"alert": bool(worth)})


def _list(request: AuthenticatedHttpRequest, template: str, which: str) -> HttpResponse:
    try:
        return list_page(request, template, which=which, before=request.GET.get("before") or None)
    except ValueError as error:
        raise Http404("This is no cursor.") from error


def _changed(request: AuthenticatedHttpRequest, group_uuid: UUID, url: str) -> HttpResponse:
    """The person's other tabs learn of it."""
    publish.conversation_changed(group_uuid=group_uuid, member_uuids=(request.user.uuid,))
    return HttpResponseSeeOther(url)
