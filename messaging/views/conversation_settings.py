"""What a member sets for a conversation alone: mute, archive, mark unread."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse, JsonResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from cruddur.web.errors import bad_request
from messaging.actions import conversation_settings
from messaging.domain.folders import list_key
from messaging.dynamodb.connection import message_table
from messaging.realtime import publish
from users.http import AuthenticatedHttpRequest, HttpResponseSeeOther

MUTE_FOR = {"hour": timedelta(hours=1), "day": timedelta(days=1), "always": None}


@login_required
@require_POST
def mute(request: AuthenticatedHttpRequest, group_uuid: UUID) -> HttpResponse:
    """Mute `for` an hour, a day or always; `off` unmutes."""
    how = request.POST.get("for", "")
    if how == "off":
        conversation_settings.unmute(user_uuid=request.user.uuid, group_uuid=group_uuid)
    elif how in MUTE_FOR:
        length = MUTE_FOR[how]
        until = timezone.now() + length if length else None
        conversation_settings.mute(user_uuid=request.user.uuid, group_uuid=group_uuid, until=until)
    else:
        return bad_request(request)
    return tell_and_redirect(request, group_uuid, reverse("conversation", args=[group_uuid]))


@login_required
@require_POST
def archive(request: AuthenticatedHttpRequest, group_uuid: UUID) -> HttpResponse:
    """Archive the conversation, or with `to=inbox` move it back."""
    if request.POST.get("to") == "inbox":
        conversation_settings.unarchive(user_uuid=request.user.uuid, group_uuid=group_uuid)
        return tell_and_redirect(request, group_uuid, reverse("conversation", args=[group_uuid]))
    conversation_settings.archive(user_uuid=request.user.uuid, group_uuid=group_uuid)
    return tell_and_redirect(request, group_uuid, reverse("conversations"))


@login_required
@require_POST
def mark_unread(request: AuthenticatedHttpRequest, group_uuid: UUID) -> HttpResponse:
    """Mark the newest message as unread."""
    entry = conversation_settings.mark_unread(user_uuid=request.user.uuid, group_uuid=group_uuid)
    publish.conversation_changed(group_uuid=group_uuid, member_uuids=(request.user.uuid,), read_seq=entry.read_seq)
    return HttpResponseSeeOther(reverse("conversations"))


@never_cache
@login_required
@require_safe
def alert(request: AuthenticatedHttpRequest, group_uuid: UUID) -> HttpResponse:
    """Return whether a new message deserves a notification: the conversation is in the inbox and not muted (1 call)."""
    user_uuid = request.user.uuid
    entries = message_table().own_entries(user_uuid, [group_uuid])
    notifying = [each for each in entries if each.inbox == list_key(user_uuid) and not each.is_muted(timezone.now())]
    return JsonResponse({"alert": bool(notifying)})


def tell_and_redirect(request: AuthenticatedHttpRequest, group_uuid: UUID, url: str) -> HttpResponse:
    """Tell the user's other tabs that the conversation changed, and redirect."""
    publish.conversation_changed(group_uuid=group_uuid, member_uuids=(request.user.uuid,))
    return HttpResponseSeeOther(url)
