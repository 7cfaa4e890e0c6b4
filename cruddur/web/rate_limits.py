"""Rate limits of users, pairs of users and addresses: token buckets in Postgres, shared by all processes."""

from __future__ import annotations

import math
import re
from collections import Counter, OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import connection
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from cruddur.value_formats import RATE

SECONDS = {"s": 1, "min": 60, "h": 3600, "d": 86_400}
MINUTES_FROM, HOURS_FROM = 90, 5400
"""Seconds from which a wait is shown in minutes and in hours."""


class RateLimited(Exception):
    """A rate limit was exceeded. `retry_after`: seconds until a token is available, at least 1; `limit`: its name."""

    def __init__(self, retry_after: int, limit: str) -> None:
        super().__init__(f"too much, retry after {retry_after} s")
        self.retry_after = retry_after
        self.limit = limit


@dataclass(frozen=True, slots=True)
class Limit:
    """A kind of bucket: it holds `at_once` tokens and gets one more every `refill_seconds`."""

    name: str
    at_once: int
    refill_seconds: float


def limit_from(name: str, text: str) -> Limit:
    """Return the limit of a setting like `30/1min`: 30 at once, and 30 more spread over each minute.

    Raises ImproperlyConfigured, so that no server starts without its limits.
    """
    match = re.fullmatch(RATE, text.strip(), re.ASCII)
    if match is None:
        raise ImproperlyConfigured(
            f"RATE_{name.upper()} is {text!r}: it is a number and a time, as in 30/1min (s, min, h or d)."
        )
    return Limit(name, int(match[1]), int(match[2] or 1) * SECONDS[match[3]] / int(match[1]))


LIMITS: Mapping[str, Limit] = {name: limit_from(name, text) for name, text in settings.RATE_LIMITS.items()}
"""The limits in the settings, by name."""

# The bucket is one time, `full_at`: when it will be full again. Taking a token moves it one refill on, which is allowed
# as long as it is then at most a whole bucket away. Of several buckets none is touched while one lacks tokens: that is
# what `lacking` sees. Two requests at once may both see enough; the conflict's own condition, which looks at the row as
# it then is, lets one of them take. What that one had taken from its other buckets stays taken, which is
# only ever stricter.
#
# A full bucket is the same as none, so each taking sweeps as many rows as it can have made: the table holds what is in
# use and no cron is needed. Rows that another request holds are left to the next.
TAKE = """
WITH wanted AS (
    SELECT * FROM unnest(%(keys)s::text[], %(costs)s::float8[], %(capacities)s::float8[]) AS w (key, cost, capacity)
),
lacking AS (
    SELECT wanted.key, EXTRACT(EPOCH FROM GREATEST(bucket.full_at, %(now)s) - %(now)s) + cost - capacity AS wait
    FROM wanted LEFT JOIN cruddur_ratebucket AS bucket USING (key)
    WHERE GREATEST(bucket.full_at, %(now)s) + cost * interval '1 second' > %(now)s + capacity * interval '1 second'
),
taken AS (
    INSERT INTO cruddur_ratebucket AS bucket (key, full_at)
    SELECT key, %(now)s + cost * interval '1 second' FROM wanted
    WHERE NOT EXISTS (SELECT FROM lacking WHERE %(together)s OR lacking.key = wanted.key)
    ORDER BY key
    ON CONFLICT (key) DO UPDATE
    SET full_at = GREATEST(bucket.full_at, %(now)s) + (EXCLUDED.full_at - %(now)s)
    WHERE GREATEST(bucket.full_at, %(now)s) + (EXCLUDED.full_at - %(now)s)
        <= %(now)s + (SELECT capacity FROM wanted WHERE wanted.key = EXCLUDED.key) * interval '1 second'
    RETURNING key
),
swept AS (
    DELETE FROM cruddur_ratebucket WHERE key IN (
        SELECT key FROM cruddur_ratebucket WHERE full_at < %(now)s AND key <> ALL (%(keys)s)
        ORDER BY full_at LIMIT %(sweep)s FOR UPDATE SKIP LOCKED
    )
)
SELECT key, COALESCE(wait, 0) FROM wanted LEFT JOIN lacking USING (key)
WHERE NOT EXISTS (SELECT FROM taken WHERE taken.key = wanted.key)
ORDER BY 2
"""


def take(limit: Limit, *, who: str, now: datetime, cost: int = 1) -> None:
    """Take `cost` tokens from the bucket of `who` (one SQL statement). Raises RateLimited when it holds fewer."""
    take_all([(limit, who)] * cost, now=now)


def take_all(wanted: Sequence[tuple[Limit, str]], *, now: datetime) -> None:
    """Take a token for each, or none at all (one SQL statement). Raises RateLimited by the one that takes longest."""
    refused = _take(wanted, now=now, together=True)
    if refused:
        (limit, _who), wait = max(refused.items(), key=lambda each: each[1])
        raise RateLimited(wait, limit.name)


def take_each(limit: Limit, *, people: Iterable[str], now: datetime) -> dict[str, int]:
    """Take a token for each of these people (one SQL statement); those who have none, and the seconds to wait."""
    refused = _take([(limit, who) for who in people], now=now, together=False)
    return {who: wait for (_limit, who), wait in refused.items()}


MAX_BUCKETS_IN_PROCESS = 100_000
"""Buckets that a process remembers (20 MB). Beyond, the least recently used one is forgotten, as if it were full."""
_here: OrderedDict[tuple[str, str], datetime] = OrderedDict()
_here_lock = Lock()


def take_in_process(limit: Limit, *, who: str, now: datetime) -> None:
    """Take a token from the bucket that `who` has in this process (no SQL). Raises RateLimited.

    For what is asked so often that a statement for each would cost more than it saves: with n processes there are n
    such buckets.
    """
    refill, key = timedelta(seconds=limit.refill_seconds), (limit.name, who)
    with _here_lock:
        full_at = max(_here.pop(key, now), now) + refill
        wait = full_at - now - limit.at_once * refill
        _here[key] = full_at if wait <= timedelta(0) else full_at - refill
        if len(_here) > MAX_BUCKETS_IN_PROCESS:
            _here.popitem(last=False)
    if wait > timedelta(0):
        raise RateLimited(max(1, math.ceil(wait.total_seconds())), limit.name)


def _take(wanted: Sequence[tuple[Limit, str]], *, now: datetime, together: bool) -> dict[tuple[Limit, str], int]:
    """Return the limits that were exceeded, with the seconds until a token is available."""
    costs = Counter(wanted)
    if not costs:
        return {}
    keys = {f"{limit.name}:{who}": (limit, who) for limit, who in costs}
    values: dict[str, Any] = {
        "keys": list(keys),
        "costs": [cost * limit.refill_seconds for (limit, _who), cost in costs.items()],
        "capacities": [limit.at_once * limit.refill_seconds for limit, _who in costs],
        "now": now,
        "together": together,
        "sweep": 2 * len(keys),
    }
    with connection.cursor() as cursor:
        cursor.execute(TAKE, values)
        rows: list[tuple[str, float]] = cursor.fetchall()
    return {keys[key]: max(1, math.ceil(wait)) for key, wait in rows}


def waiting(seconds: int) -> str:
    """Format a wait for people: `9 seconds`, `3 minutes`, `2 hours`."""
    if seconds < MINUTES_FROM:
        return ngettext("%(n)s second", "%(n)s seconds", seconds) % {"n": seconds}
    if seconds < HOURS_FROM:
        minutes = math.ceil(seconds / 60)
        return ngettext("%(n)s minute", "%(n)s minutes", minutes) % {"n": minutes}
    hours = math.ceil(seconds / 3600)
    return ngettext("%(n)s hour", "%(n)s hours", hours) % {"n": hours}


def explanation(limited: RateLimited) -> str:
    """Explain why a message was not sent, and when it can be."""
    wait = {"wait": waiting(limited.retry_after)}
    if limited.limit.startswith("new_conversations"):
        return _("You have begun a lot of conversations. What you wrote is kept: try again in %(wait)s.") % wait
    return _("You have sent a lot in a short time. What you wrote is kept: try again in %(wait)s.") % wait
