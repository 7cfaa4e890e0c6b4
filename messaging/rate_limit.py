"""How fast a person may send: 30 messages at once, then one a second; a token bucket in Postgres."""

from __future__ import annotations

import math
from datetime import datetime, timedelta
from uuid import UUID

from django.db import connection

AT_ONCE = 30
REFILL = 1
"""Seconds until one more may be sent."""


class RateLimited(Exception):
    """The person has sent too much too fast. `retry_after`: in how many seconds, at least 1, the next may be sent."""

    def __init__(self, retry_after: int) -> None:
        super().__init__(f"too many messages, retry after {retry_after} s")
        self.retry_after = retry_after


# The bucket is one time, `full_at`: when it will be full again. Taking a token moves it one refill on, which is allowed
# as long as it is then at most a whole bucket away. A row that is not updated is not returned, and is read instead.
TAKE = """
WITH taken AS (
    INSERT INTO messaging_sendallowance AS bucket (person_id, full_at)
    VALUES (%(person)s, %(one_taken)s)
    ON CONFLICT (person_id) DO UPDATE
    SET full_at = GREATEST(bucket.full_at + %(refill)s * interval '1 second', %(one_taken)s)
    WHERE bucket.full_at + %(refill)s * interval '1 second' <= %(all_taken)s
    RETURNING full_at
)
SELECT NULL FROM taken
UNION ALL
SELECT full_at FROM messaging_sendallowance WHERE person_id = %(person)s AND NOT EXISTS (SELECT FROM taken)
"""


def take(*, user_uuid: UUID, now: datetime) -> None:
    """Take one token from the person's bucket (one SQL statement). Raises RateLimited when it is empty."""
    one_taken, all_taken = now + timedelta(seconds=REFILL), now + timedelta(seconds=REFILL * AT_ONCE)
    values: dict[str, UUID | int | datetime] = {
        "person": user_uuid,
        "refill": REFILL,
        "one_taken": one_taken,
        "all_taken": all_taken,
    }
    with connection.cursor() as cursor:
        cursor.execute(TAKE, values)
        row = cursor.fetchone()
    # No row at all: another request made it while this statement ran, and so this one neither took nor sees it.
    full_at: datetime | None = row[0] if row else all_taken
    if full_at is not None:
        wait = full_at + timedelta(seconds=REFILL) - all_taken
        raise RateLimited(max(1, math.ceil(wait.total_seconds())))
