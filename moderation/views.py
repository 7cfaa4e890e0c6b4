"""Report a message or a conversation, and acknowledge a notice."""

from __future__ import annotations

from http import HTTPStatus
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from cruddur.web.errors import RETRY_AFTER, bad_request
from cruddur.web.rate_limits import LIMITS, RateLimited, explanation, take
from messaging.dynamodb.client import Unavailable
from messaging.presenters.avatar import person_view
from messaging.presenters.message_menu import message_url
from users.http import AuthenticatedHttpRequest, HttpResponseSeeOther, requested_next
from users.people import people_by_uuid

from . import notices, reports, snapshots
from .forms import NoticeForm, ReportForm
from .models import Report
from .reports import AlreadyReported
from .snapshots import Snapshot


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def report_message(request: AuthenticatedHttpRequest, group_uuid: UUID, created_at: str) -> HttpResponse:
    """Report a message."""
    return report(request, group_uuid, created_at)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def report_conversation(request: AuthenticatedHttpRequest, group_uuid: UUID) -> HttpResponse:
    """Report a conversation."""
    return report(request, group_uuid, "")


def report(request: AuthenticatedHttpRequest, group_uuid: UUID, created_at: str) -> HttpResponse:
    """Show the form, or once the report was made, a confirmation. Raise ConversationNotFound, MessageNotFound."""
    me = request.user.uuid
    if made := reports.undecided_report(reporter_uuid=me, group_uuid=group_uuid, created_at=created_at):
        return confirmation(request, made)
    if request.method != "POST":
        return report_page(request, group_uuid, created_at, ReportForm())
    form = ReportForm(request.POST)
    if not form.is_valid():
        return report_page(request, group_uuid, created_at, form, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    try:
        take(LIMITS["reports"], who=str(me), now=timezone.now())
        reports.report(
            reporter_uuid=me,
            group_uuid=group_uuid,
            created_at=created_at,
            reason=form.cleaned_data["reason"],
            note=form.cleaned_data["note"],
            now=timezone.now(),
        )
    except RateLimited as limited:
        form.add_error(None, explanation(limited))
        response = report_page(request, group_uuid, created_at, form, status=HTTPStatus.TOO_MANY_REQUESTS)
        response["Retry-After"] = str(limited.retry_after)
        return response
    except AlreadyReported:
        pass
    except Unavailable:
        form.add_error(None, _("Not sent: we cannot reach the conversation right now. Send it again in a few seconds."))
        response = form_page(request, group_uuid, created_at, form, status=HTTPStatus.SERVICE_UNAVAILABLE)
        response["Retry-After"] = str(RETRY_AFTER)
        return response
    # This address now shows the confirmation.
    return HttpResponseSeeOther(request.path)


def report_page(
    request: AuthenticatedHttpRequest, group_uuid: UUID, created_at: str, form: ReportForm, *, status: int = 200
) -> HttpResponse:
    """Render the form with a snapshot of what is reported. Raise what `snapshots.take` raises."""
    try:
        snapshot = snapshots.take(user_uuid=request.user.uuid, group_uuid=group_uuid, created_at=created_at)
    except Unavailable:
        if not form.is_bound:
            raise
        snapshot = None  # the posted text is shown without it
    return form_page(request, group_uuid, created_at, form, snapshot=snapshot, status=status)


def form_page(
    request: AuthenticatedHttpRequest,
    group_uuid: UUID,
    created_at: str,
    form: ReportForm,
    *,
    snapshot: Snapshot | None = None,
    status: int,
) -> HttpResponse:
    """Render the form, and what is reported if it could be read."""
    context = {"form": form, "of_message": bool(created_at), "back": reverse("conversation", args=[group_uuid])}
    if snapshot is not None:
        reported = people_by_uuid([snapshot.reported_uuid]).get(snapshot.reported_uuid)
        context["reported"] = person_view(reported)
        if created_at:
            context["text"] = snapshot.newest.message
            context["back"] = message_url(snapshot.newest)
    return render(request, "moderation/report.html", context, status=status)


def confirmation(request: AuthenticatedHttpRequest, made: Report) -> HttpResponse:
    """Confirm the report, and offer to block the reported user."""
    context = {
        "back": reverse("conversation", args=[made.group_uuid]),
        "block_url": reverse("block", args=[made.reported_uuid]),
    }
    return render(request, "moderation/report_sent.html", context)


@login_required
@require_POST
def acknowledge_notice(request: AuthenticatedHttpRequest) -> HttpResponse:
    """Note that the user has read the notice, and redirect to `next`."""
    form = NoticeForm(request.POST)
    if not form.is_valid():
        return bad_request(request)
    notices.acknowledge(person=request.user, pk=form.cleaned_data["notice"], now=timezone.now())
    return HttpResponseSeeOther(requested_next(request))
