"""Block and unblock a user."""

from __future__ import annotations

from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from messaging.actions import block as block_actions
from messaging.presenters.avatar import person_view
from messaging.queries import conversations
from messaging.realtime import publish
from users.http import AuthenticatedHttpRequest, HttpResponseSeeOther, requested_next
from users.people import people_by_uuid


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def block(request: AuthenticatedHttpRequest, user_uuid: UUID) -> HttpResponse:
    """Ask for confirmation, or block. 404 unless the user is active or has a conversation with the reader."""
    person = people_by_uuid([user_uuid]).get(user_uuid)
    group_uuid = conversations.existing_with(user_uuid=request.user.uuid, other_uuid=user_uuid)
    if user_uuid == request.user.uuid or (group_uuid is None and (person is None or not person.is_active)):
        raise Http404("There is nobody to block.")
    back = reverse("conversation", args=[group_uuid]) if group_uuid else person.get_absolute_url() if person else ""
    if request.method != "POST":
        return render(
            request, "messaging/block.html", {"person": person_view(person), "back": back, "user_uuid": user_uuid}
        )
    group_uuid = block_actions.block(user_uuid=request.user.uuid, other_uuid=user_uuid, now=timezone.now())
    publish.conversation_changed(group_uuid=group_uuid, member_uuids=(request.user.uuid,))
    return HttpResponseSeeOther(back)


@login_required
@require_POST
def unblock(request: AuthenticatedHttpRequest, user_uuid: UUID) -> HttpResponse:
    """Unblock the user, and redirect to `next`."""
    group_uuid = block_actions.unblock(user_uuid=request.user.uuid, other_uuid=user_uuid)
    publish.conversation_changed(group_uuid=group_uuid, member_uuids=(request.user.uuid,))
    return HttpResponseSeeOther(requested_next(request))
