"""The queue of reports in the admin: a moderator claims a report, reads it, and decides with a reason."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial, wraps
from http import HTTPStatus
from typing import Any, ClassVar
from uuid import UUID

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import OuterRef, Q, QuerySet, Subquery
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from messaging.domain.timestamps import parse_created_at
from messaging.dynamodb.client import Unavailable
from moderation import audit, decisions, queue
from moderation.decisions import NotPossible
from moderation.models import Reason, Report, State
from moderation.queue import AlreadyTaken, NotYourReport
from moderation.reading import Cursor
from users.admin_lookups import one_of
from users.http import AuthenticatedHttpRequest
from users.models import User
from users.people import people_by_uuid
from users.permissions import administrates, moderates

from .conversations import line, read_page
from .forms import DecisionForm, StatedReasonForm
from .permissions import ReadOnlyAdmin, moderator_of

WAITING = ~Q(state=State.DECIDED)


class StateFilter(admin.SimpleListFilter):
    """Filter by state; without one, show what waits for a decision."""

    title = "state"
    parameter_name = "state"

    def lookups(self, _request: HttpRequest, _model_admin: Any) -> Sequence[tuple[str, str]]:
        states = [(str(value), str(label)) for value, label in State.choices]
        return [*states, ("mine", _("claimed by me")), ("all", _("all"))]

    def choices(self, changelist: Any) -> Any:
        first, *others = super().choices(changelist)
        return [{**first, "display": _("waiting")}, *others]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Report]) -> QuerySet[Report]:
        match self.value():
            case None:
                return queryset.filter(WAITING)
            case "mine":
                return queryset.filter(WAITING, claimed_by_uuid=request.user.pk)
            case State.OPEN | State.CLAIMED | State.DECIDED as state:
                return queryset.filter(state=state)
        return queryset


def handle_of(field: str) -> Subquery:
    return Subquery(User.objects.filter(pk=OuterRef(field), deletion_asked_at=None).values("handle")[:1])


def at(handle: str | None) -> str:
    return f"@{handle}" if handle else _("Deleted user")


@admin.register(Report)
class ReportAdmin(ReadOnlyAdmin):
    """The list of reports; each report has its own page, because nothing in it can be edited."""

    list_display = ("number", "reported_at", "why", "reported", "reporter", "what", "state", "claimed_by")
    list_filter = (StateFilter, "reason")
    allowed_lookups: ClassVar = {
        "state": one_of(*State.values, "mine", "all"),
        "reason__exact": one_of(*Reason.values),
    }
    ordering = ("created_at",)
    list_per_page = 50
    show_full_result_count = False

    @admin.display(description="report", ordering="pk")
    def number(self, report: Report) -> str:
        return f"#{report.pk}"

    @admin.display(description="when", ordering="created_at")
    def reported_at(self, report: Report) -> str:
        return f"{report.created_at:%Y-%m-%d %H:%M}"

    @admin.display(description="reason", ordering="reason")
    def why(self, report: Report) -> str:
        return report.get_reason_display()

    @admin.display(description="about")
    def reported(self, report: Any) -> str:
        return at(report.reported_handle)

    @admin.display(description="by")
    def reporter(self, report: Any) -> str:
        return at(report.reporter_handle)

    @admin.display(description="what")
    def what(self, report: Report) -> str:
        return _("message") if report.message_created_at else _("conversation")

    @admin.display(description="claimed by")
    def claimed_by(self, report: Any) -> str:
        return at(report.claimed_by_handle) if report.claimed_by_uuid else ""

    def get_queryset(self, request: HttpRequest) -> QuerySet[Report]:
        reports: QuerySet[Report] = super().get_queryset(request)
        hidden = queue.involving(moderator_of(request)).values("pk")
        return (
            reports.exclude(pk__in=hidden)
            .defer("snapshot")
            .annotate(
                reported_handle=handle_of("reported_uuid"),
                reporter_handle=handle_of("reporter_uuid"),
                claimed_by_handle=handle_of("claimed_by_uuid"),
            )
        )

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        return super().changelist_view(request, {"title": _("Reports"), **(extra_context or {})})

    def get_urls(self) -> list[URLPattern]:
        site = self.admin_site
        acts: Mapping[str, Callable[..., HttpResponse]] = {
            "claim": claim, "release": release, "decide": decide, "conversation": conversation
        }  # fmt: skip
        own = [
            path(f"<int:pk>/{name}/", site.admin_view(for_moderators(view)), name=f"moderation_report_{name}")
            for name, view in acts.items()
        ]
        return [*own, *super().get_urls()]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        return for_moderators(report_page)(request, pk=number_of(object_id))


def number_of(object_id: str) -> int:
    if not (object_id.isascii() and object_id.isdigit() and len(object_id) < len(str(2**63))):
        raise Http404("There is no such report.")
    return int(object_id)


def for_moderators(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Resolve `pk` to a report for the view, and require a moderator (403).

    A report by or about this moderator is 404, like one that does not exist.
    """

    @wraps(view)
    def wrapped(request: AuthenticatedHttpRequest, *, pk: int) -> HttpResponse:
        if not moderates(request.user):
            raise PermissionDenied
        report = queue.reports_for(request.user).filter(pk=pk).first() if pk < 2**63 else None
        if report is None:
            raise Http404("There is no such report.")
        return view(request, report)

    return wrapped


def report_page(
    request: AuthenticatedHttpRequest, report: Report, form: DecisionForm | None = None, status: int = HTTPStatus.OK
) -> HttpResponse:
    """Show the report; its messages only to the moderator who has claimed it, recording each view."""
    me = request.user
    readable = queue.may_read(me, report)
    if readable:
        audit.record(actor=me, act="report.view", subject=audit.of_report(report.pk))
    writers = {UUID(each["user_uuid"]) for each in report.snapshot}
    decision = getattr(report, "decision", None)
    others = {report.claimed_by_uuid} if report.claimed_by_uuid else set()
    people = people_by_uuid({*writers, *others, report.reporter_uuid, report.reported_uuid})
    context = {
        **admin.site.each_context(request),
        "title": f"Report #{report.pk}",
        "report": report,
        "reporter": people.get(report.reporter_uuid),
        "reported": people.get(report.reported_uuid),
        "claimed_by": people.get(report.claimed_by_uuid) if report.claimed_by_uuid else None,
        "readable": readable,
        "lines": [snapshot_line(each, people, report) for each in report.snapshot] if readable else [],
        "decision": decision,
        "earlier": queue.reports_for(me).filter(reported_uuid=report.reported_uuid).exclude(pk=report.pk).count(),
        "is_mine": queue.is_working_on(me, report),
        "may_release": report.state == State.CLAIMED and administrates(me),
        "form": form or DecisionForm(of_message=bool(report.message_created_at)),
        "opts": Report._meta,  # noqa: SLF001 - Django's documented API
    }
    return TemplateResponse(request, "admin/moderation/report.html", context, status=status)


def snapshot_line(kept: Mapping[str, Any], people: Mapping[UUID, User], report: Report) -> dict[str, Any]:
    reported = kept["created_at"] == report.message_created_at
    return {
        **line(
            person=people.get(UUID(kept["user_uuid"])),
            text=kept["message"],
            moment=parse_created_at(kept["created_at"]),
            deleted=bool(kept["deleted_at"]),
            edited=bool(kept["edited_at"]),
        ),
        "reported": reported,
    }


def page_url(report: Report) -> str:
    return reverse("admin:moderation_report_change", args=[report.pk])


@require_POST
def claim(request: AuthenticatedHttpRequest, report: Report) -> HttpResponse:
    try:
        queue.claim(report=report, moderator=request.user, now=timezone.now())
    except AlreadyTaken:
        messages.warning(request, _("Somebody else was faster: this report is not open any more."))
    return redirect(page_url(report))


@require_POST
def release(request: AuthenticatedHttpRequest, report: Report) -> HttpResponse:
    try:
        queue.release(report=report, moderator=request.user)
    except NotYourReport:
        messages.warning(request, _("This report is not yours to give back."))
    return redirect(page_url(report))


@require_POST
def decide(request: AuthenticatedHttpRequest, report: Report) -> HttpResponse:
    form = DecisionForm(request.POST, of_message=bool(report.message_created_at))
    if not form.is_valid():
        return report_page(request, report, form, HTTPStatus.UNPROCESSABLE_ENTITY)
    try:
        decision = decisions.decide(report=report, moderator=request.user, now=timezone.now(), **form.cleaned_data)
    except NotYourReport:
        messages.error(request, _("Nothing was decided: this report is not yours now. Claim it first."))
        return redirect(page_url(report))
    except NotPossible as obstacle:
        form.add_error("verdict", str(obstacle))
        return report_page(request, report, form, HTTPStatus.CONFLICT)
    except Unavailable:
        form.add_error(None, _("Nothing was decided: DynamoDB does not answer. Try again in a moment."))
        return report_page(request, report, form, HTTPStatus.SERVICE_UNAVAILABLE)
    if decision.outcome:
        messages.warning(request, decision.outcome)
    messages.success(request, _("Decided: %(verdict)s.") % {"verdict": decision.get_verdict_display()})
    return redirect("admin:moderation_report_changelist")


@require_http_methods(["GET", "HEAD", "POST"])
def conversation(request: AuthenticatedHttpRequest, report: Report) -> HttpResponse:
    """Show the messages around what was reported to the moderator who has claimed the report; more for a stated reason.

    The report is reason enough for one fixed window. Earlier and later messages require a form with a reason, which the
    audit log stores with each window that is read.
    """
    if not queue.is_working_on(request.user, report):
        raise PermissionDenied
    show = partial(read_page, request, group_uuid=report.group_uuid, report=report)
    window = Cursor(around=report.snapshot[-1]["created_at"])
    if request.method != "POST":
        return show(cursor=window, reason="", form=StatedReasonForm())
    form = StatedReasonForm(request.POST)
    if not form.is_valid():
        return show(cursor=window, reason="", form=form, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    reason = form.cleaned_data["reason"]
    further = Cursor(before=request.POST.get("before", ""), after=request.POST.get("after", ""))
    return show(cursor=further if further != Cursor() else window, reason=reason, repeat={"reason": reason})
