"""Read a conversation in the admin: because of a report, or for a reason that an administrator states."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from http import HTTPStatus
from typing import Any
from uuid import UUID

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.views.decorators.http import require_http_methods

from messaging.dynamodb.client import Unavailable
from messaging.dynamodb.codec import InvalidCreatedAt
from messaging.queries.conversations import PAGE_SIZE, ConversationNotFound
from moderation import reading
from moderation.models import Report
from moderation.reading import Cursor
from users.http import AuthenticatedHttpRequest
from users.models import User
from users.people import people_by_uuid
from users.permissions import administrates

from .forms import ReasonForm, StatedReasonForm


@require_http_methods(["GET", "HEAD", "POST"])
def with_reason(request: HttpRequest) -> HttpResponse:
    """Ask whose conversation and why; show it once a reason is posted. Each window is requested and recorded again."""
    if not administrates(request.user):
        raise PermissionDenied
    if request.method != "POST":
        # Links prefill the form; nothing is shown or recorded before a reason is posted.
        form = ReasonForm(initial={"one": request.GET.get("one", ""), "other": request.GET.get("other", "")})
        return reason_page(request, form)
    form = ReasonForm(request.POST)
    if not form.is_valid():
        return reason_page(request, form, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    cursor = Cursor(before=request.POST.get("before", ""), after=request.POST.get("after", ""))
    try:
        return read_page(
            request,  # type: ignore[arg-type] # an administrator's
            group_uuid=form.cleaned_data["group_uuid"],
            cursor=cursor,
            reason=form.cleaned_data["reason"],
            repeat={name: request.POST[name] for name in ("one", "other", "reason")},
        )
    except (ConversationNotFound, InvalidCreatedAt):
        form.add_error(None, "These two have no conversation.")
        return reason_page(request, form, status=HTTPStatus.NOT_FOUND)


def reason_page(request: HttpRequest, form: ReasonForm, *, status: int = HTTPStatus.OK) -> HttpResponse:
    context = {**admin.site.each_context(request), "title": "Read a conversation", "form": form}
    return TemplateResponse(request, "admin/moderation/state_reason.html", context, status=status)


def read_page(
    request: AuthenticatedHttpRequest,
    *,
    group_uuid: UUID,
    cursor: Cursor,
    reason: str,
    report: Report | None = None,
    repeat: Mapping[str, str] | None = None,
    form: StatedReasonForm | None = None,
    status: int = HTTPStatus.OK,
) -> HttpResponse:
    """Show a window of the conversation. Raise ConversationNotFound, InvalidCreatedAt.

    `reason` is what the reader stated, or empty where the report is reason enough. The next window is requested with
    the fields of `repeat`, or with `form` where a reason has to be stated first.
    """
    context = {
        **admin.site.each_context(request),
        "title": "Conversation",
        "reason": reason or f"Report #{report.pk if report else ''}",
        "report": report,
        "repeat": repeat,
        "form": form,
        "window_size": PAGE_SIZE,
    }
    try:
        window = reading.look(
            reader=request.user,
            group_uuid=group_uuid,
            cursor=cursor,
            reason=reason,
            report=report.pk if report else None,
        )
    except Unavailable:
        context["unavailable"] = True
        return TemplateResponse(
            request, "admin/moderation/conversation.html", context, status=HTTPStatus.SERVICE_UNAVAILABLE
        )
    people = people_by_uuid(window.conversation.member_uuids)
    context |= {
        "members": [people.get(uuid) for uuid in sorted(window.conversation.member_uuids)],
        "lines": [
            {
                **line(
                    person=people.get(message.user_uuid),
                    text=message.message,
                    moment=message.created,
                    deleted=bool(message.deleted_at),
                    edited=bool(message.edited_at),
                ),
                "reported": bool(report) and report is not None and message.created_at == report.message_created_at,
            }
            for message in window.messages
        ],
        "older": window.older,
        "newer": window.newer,
    }
    return TemplateResponse(request, "admin/moderation/conversation.html", context, status=status)


def line(*, person: User | None, text: str, moment: datetime, deleted: bool, edited: bool) -> dict[str, Any]:
    """Return a message as the admin's templates show it."""
    return {"person": person, "text": text, "moment": moment, "deleted": deleted, "edited": edited}
