"""The row above the list of conversations that leads to waiting message requests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.utils.translation import ngettext

from cruddur.web.cached_urls import cached_url
from messaging.domain.entities import Entry
from users.models import User

from .avatar import join_names, person_views


@dataclass(frozen=True, slots=True)
class RequestsRow:
    """The row above the list that leads to waiting requests."""

    url: str
    count: str
    """How many wait; "20+" for more than a page."""
    preview: str
    """The names of their senders."""


def requests_row(entries: Sequence[Entry], people: Mapping[UUID, User], *, more: bool) -> RequestsRow:
    """Return the row for these requests, newest first and at least one; `more` says whether others follow."""
    first = join_names(person_views(entries[0].other_uuids, people))
    others = len(entries) - 1
    preview = first
    if others:
        preview = ngettext("%(name)s and %(others)s other", "%(name)s and %(others)s others", others) % {
            "name": first,
            "others": f"{others}+" if more else others,
        }
    return RequestsRow(cached_url("message_requests"), f"{len(entries)}+" if more else str(len(entries)), preview)
