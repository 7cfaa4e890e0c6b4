"""The audit log, newest first: moderators see their own actions, administrators everybody's.

Administrators do not see what others did about them: it would reveal that somebody reported them, and who.
"""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import admin
from django.contrib.admin.filters import AllValuesFieldListFilter
from django.db.models import CharField, Q, QuerySet, Value
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast, Concat
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from moderation import audit, queue
from moderation.models import ACT_MAX_CHARS, AuditEntry
from users.admin_lookups import is_moment, text_up_to
from users.handles import HANDLE_MAX_CHARS
from users.permissions import administrates

from .permissions import ReadOnlyAdmin, moderator_of


class ActorFilter(AllValuesFieldListFilter):
    """Filter by actor, if there is more than one."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.title = "actor"


@admin.register(AuditEntry)
class AuditLogAdmin(ReadOnlyAdmin):
    """Read-only: the database rejects changes as well."""

    list_display = ("when", "actor", "act", "subject", "reason", "details")
    list_display_links = None
    list_filter = ("act", ("actor_handle", ActorFilter), "at")
    allowed_lookups: ClassVar = {
        "act": text_up_to(ACT_MAX_CHARS),
        "actor_handle": text_up_to(HANDLE_MAX_CHARS),
        "at__gte": is_moment,
        "at__lt": is_moment,
    }
    search_fields = ("subject", "actor_handle", "reason")
    search_help_text = "Subject (person:…, report:…, conversation:…), actor or reason"
    list_per_page = 50
    show_full_result_count = False

    @admin.display(description="when", ordering="at")
    def when(self, entry: AuditEntry) -> str:
        return f"{entry.at:%Y-%m-%d %H:%M:%S}"

    @admin.display(description="actor", ordering="actor_handle")
    def actor(self, entry: AuditEntry) -> str:
        return f"@{entry.actor_handle}" if entry.actor_uuid else "command line"

    @admin.display(description="details")
    def details(self, entry: AuditEntry) -> str:
        return ", ".join(f"{name}: {value}" for name, value in entry.facts.items())

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        return super().changelist_view(request, {"title": _("Audit log"), **(extra_context or {})})

    def get_queryset(self, request: HttpRequest) -> QuerySet[AuditEntry]:
        entries: QuerySet[AuditEntry] = super().get_queryset(request)
        me = moderator_of(request)
        if not administrates(me):
            return entries.filter(actor_uuid=me.uuid)
        # A subquery, so that a rejected list runs no query.
        reports = queue.involving(me).annotate(number=Cast("pk", CharField()))
        hidden = AuditEntry.objects.annotate(report=KeyTextTransform("report", "facts")).filter(
            Q(subject=audit.of_person(me.uuid))
            | Q(subject__in=reports.annotate(subject=Concat(Value("report:"), "number")).values("subject"))
            | Q(report__in=reports.values("number"))
        )
        return entries.exclude(pk__in=hidden.exclude(actor_uuid=me.uuid).values("pk"))
