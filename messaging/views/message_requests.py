"""Message requests: their list, and accepting or declining one."""

from __future__ import annotations

from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from cruddur.web.errors import bad_request
from messaging.actions import message_requests
from messaging.actions.send_message import Blocked
from messaging.domain.folders import REQUESTS
from messaging.realtime import publish
from users.http import AuthenticatedHttpRequest, HttpResponseSeeOther

from .conversation_settings import tell_and_redirect
from .conversations import render_folder


@login_required
@require_safe
def request_list(request: AuthenticatedHttpRequest) -> HttpResponse:
    """Show the requests that wait."""
    return render_folder(request, "messaging/message_requests.html", REQUESTS)


@login_required
@require_POST
def answer_request(request: AuthenticatedHttpRequest, group_uuid: UUID) -> HttpResponse:
    """Accept a request and tell its sender, or decline it and tell nobody else."""
    user_uuid, url = request.user.uuid, reverse("conversation", args=[group_uuid])
    match request.POST.get("answer"):
        case "accept":
            try:
                conversation = message_requests.accept(user_uuid=user_uuid, group_uuid=group_uuid)
            except Blocked:
                # The page says that the conversation is blocked.
                return HttpResponseSeeOther(url)
            publish.conversation_changed(group_uuid=group_uuid, member_uuids=conversation.member_uuids)
            return HttpResponseSeeOther(url)
        case "decline":
            message_requests.decline(user_uuid=user_uuid, group_uuid=group_uuid)
            return tell_and_redirect(request, group_uuid, reverse("conversations"))
    return bad_request(request)
