from datetime import datetime, timedelta, timezone

import pytest

from messaging.domain.timestamps import format_created_at, parse_created_at
from tests.messaging.invented import NOW


def test_it_writes_created_at_in_one_form_that_sorts_as_time_does() -> None:
    assert format_created_at(NOW) == "2026-11-21T09:05:00.000000+00:00"
    assert format_created_at(datetime(2026, 11, 21, 10, 5, tzinfo=timezone(timedelta(hours=1)))) == format_created_at(
        NOW
    )
    assert parse_created_at("2026-11-21T09:05:00.000000+00:00") == NOW


@pytest.mark.parametrize(
    "text",
    ["", "now", "2026-11-21", "2026-11-21T09:05:00+00:00", "2026-11-21T09:05:00.000000", "2026-11-21T09:05:00.000000Z",
     "2026-11-21T10:05:00.000000+01:00", "2026-11-21T09:05:00.000000+00:00 OR 1=1"],
)  # fmt: skip
def test_it_takes_no_other_form_of_created_at(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - of whichever parser
        parse_created_at(text)
