"""What an open page asks for: what it lacks of a conversation, the list anew; and that someone is writing."""

from __future__ import annotations

from http import HTTPStatus
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from messaging.presenters import conversation as thread_view
from messaging.presenters.avatar import face
from messaging.presenters.message import message_html
from messaging.presenters.write_permission import standing
from messaging.queries.conversations import ConversationNotFound
from messaging.queries.sync import Since, since
from messaging.realtime import typing as live_typing
from users.authenticated import AuthenticatedHttpRequest
from users.people import people_by_uuid

from .pages import inbox_context


@never_cache
@login_required
@require_safe
def catch_up(request: AuthenticatedHttpRequest, group_uuid: UUID) -> HttpResponse:
    asked = {name: request.GET.get(name, "") for name in ("after", "first", "last")}
    version = request.GET.get("version", "")
    try:
        found = since(
            user_uuid=request.user.uuid,
            group_uuid=group_uuid,
            version=int(version) if version.isdecimal() else 0,
            **asked,
        )
    except (ConversationNotFound, ValueError) as error:
        raise Http404("There is no such conversation.") from error
    live_typing.remember_members(user_uuid=request.user.uuid, conversation=found.conversation)
    return JsonResponse(
        {
            "version": found.version,
            "last_seq": found.conversation.seq,
            "seen_seq": found.seen_seq,
            "after": found.newest,
            "messages": new_messages(request, found),
            "more": found.more,
            "replace": window_html(found),
            "write_permission": standing(found.conversation, request.user.uuid),
        }
    )


def new_messages(request: AuthenticatedHttpRequest, found: Since) -> list[dict[str, object]]:
    """The messages to be added, each as it stands by itself."""
    people = people_by_uuid(message.user_uuid for message in found.messages) if found.messages else {}
    return [
        {
            "seq": message.seq,
            "created_at": message.created_at,
            "own": (own := message.user_uuid == request.user.uuid),
            "html": message_html(message, face(people.get(message.user_uuid)), own=own),
            # So that it takes the place of its copy that is being sent.
            "message_uuid": str(message.message_uuid) if own else None,
        }
        for message in found.messages
    ]


def window_html(found: Since) -> str | None:
    """The window in place of the page's own, if there is one."""
    if found.window is None:
        return None
    people = people_by_uuid(thread_view.people_of(found.window))
    window = thread_view.thread_page(found.window, people, now=timezone.now())
    return render_to_string("messaging/_message_window.html", {"conversation": window})


@never_cache
@login_required
@require_safe
def inbox_rows(request: AuthenticatedHttpRequest) -> HttpResponse:
    try:
        current = UUID(request.GET["current"]) if request.GET.get("current") else None
        context = inbox_context(request, current=current, before=request.GET.get("before") or None)
    except ValueError as error:
        raise Http404("There is no such conversation.") from error
    response = render(request, "messaging/_conversation_rows.html", {"conversation_list": context["conversation_list"]})
    response["X-Unread"] = str(context["unread"])
    return response


@login_required
@require_POST
def typing(request: AuthenticatedHttpRequest, group_uuid: UUID) -> HttpResponse:
    try:
        live_typing.is_typing(user_uuid=request.user.uuid, group_uuid=group_uuid)
    except ConversationNotFound as error:
        raise Http404("There is no such conversation.") from error
    return HttpResponse(status=HTTPStatus.NO_CONTENT)


def no_stream(request: HttpRequest) -> HttpResponse:
    """Where this answers, `cruddur.asgi` does not serve the site, which answers for streams itself: nothing is live.

    204 tells a browser not to ask again.
    """
    return HttpResponse(status=HTTPStatus.NO_CONTENT)
