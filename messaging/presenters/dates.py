"""Format times in the active time zone, which `cruddur.web.middleware.TimezoneMiddleware` sets to the reader's."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from functools import lru_cache

from django.utils import timezone
from django.utils.dateformat import format as format_date
from django.utils.translation import get_language, pgettext
from django.utils.translation import gettext as _

WEEK = 7  # days
KEPT = 4096
"""How many formatted times are cached: a page shows about 40, most of them formatted before."""


@dataclass(frozen=True, slots=True)
class Moment:
    """A point in time: `label` is shown, `title` says it in full, `iso` is for machines."""

    label: str
    title: str
    iso: str


def clock_time(moment: datetime) -> Moment:
    """Format a time for a message: `20:05`."""
    return clock_time_in(timezone.get_current_timezone(), get_language(), moment)


@lru_cache(maxsize=KEPT)
def clock_time_in(zone: tzinfo, language: str | None, moment: datetime) -> Moment:
    """Format the time; `language` is the active one, and only a key of the cache."""
    local = moment.astimezone(zone)
    return _moment(local, format_date(local, pgettext("date", "H:i")))


def list_time(moment: datetime, *, now: datetime) -> Moment:
    """Format a time for a list: `21:02`, `Yesterday`, `Thu` within a week, `12 Nov`, `12 Nov 2025` in another year."""
    return list_time_in(timezone.get_current_timezone(), get_language(), moment, timezone.localdate(now))


@lru_cache(maxsize=KEPT)
def list_time_in(zone: tzinfo, language: str | None, moment: datetime, today: date) -> Moment:
    """Format the time; `language` is the active one, and only a key of the cache."""
    local = moment.astimezone(zone)
    days_ago = (today - local.date()).days
    if days_ago == 0:
        label = format_date(local, pgettext("date", "H:i"))
    elif days_ago == 1:
        label = _("Yesterday")
    elif 0 < days_ago < WEEK:
        label = format_date(local, "D")
    else:
        label = format_date(local, pgettext("date", "j M") if local.year == today.year else pgettext("date", "j M Y"))
    return _moment(local, label)


def day_label(day: date, *, today: date) -> str:
    """Format a day between messages: `Today`, `Yesterday`, `Wednesday` in a week, `Friday 20 November`, `… 2025`."""
    days_ago = (today - day).days
    if days_ago == 0:
        return _("Today")
    if days_ago == 1:
        return _("Yesterday")
    if 0 < days_ago < WEEK:
        return format_date(day, "l")
    return format_date(day, pgettext("date", "l j F") if day.year == today.year else pgettext("date", "l j F Y"))


def _moment(local: datetime, label: str) -> Moment:
    title = format_date(local, pgettext("date", r"l j F Y \a\t H:i"))
    return Moment(label=label, title=title, iso=local.isoformat(timespec="seconds"))
