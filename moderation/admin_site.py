"""The admin's front page, and its pages without a model: the stream, and conversations for a stated reason."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.urls import URLPattern, URLResolver, path

from messaging.models import DeadLetter
from moderation import queue
from moderation.models import State
from users.admin_site import CruddurAdminSite
from users.models import User
from users.permissions import administrates


class ModerationAdminSite(CruddurAdminSite):
    """The admin site of `users`, with counts of waiting work on the front page."""

    index_template = "admin/moderation/index.html"

    def get_urls(self) -> list[URLResolver | URLPattern]:
        from .admin import conversations, stream  # noqa: PLC0415 - they need the models, which come after the site

        return [
            path("stream/", self.admin_view(stream.stream), name="stream"),
            path("stream/replay/", self.admin_view(stream.replay), name="stream_replay"),
            path("conversation/", self.admin_view(conversations.with_reason), name="conversation"),
            *super().get_urls(),
        ]

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        return super().index(request, {**waiting(request), **(extra_context or {})})


def waiting(request: HttpRequest) -> dict[str, Any]:
    """Return the counts of the front page: one statement each, on indexes or small tables."""
    from moderation.admin.permissions import moderator_of  # noqa: PLC0415 - as above

    me = moderator_of(request)
    undecided = queue.reports_for(me).exclude(state=State.DECIDED)
    facts = {
        "reports_open": undecided.filter(state=State.OPEN).count(),
        "reports_mine": undecided.filter(claimed_by_uuid=me.uuid).count(),
    }
    if administrates(request.user):
        facts["dead_letters"] = DeadLetter.objects.count()
        facts["people_closed"] = User.objects.filter(is_active=False).count()
    return {"facts": facts, "administrates": administrates(request.user)}
