import logging

import pytest

from cruddur.log import WithoutQuery


def test_the_access_log_shows_no_query(caplog: pytest.LogCaptureFixture) -> None:
    record = logging.LogRecord(
        "uvicorn.access", logging.INFO, "", 0, '%s - "%s %s HTTP/%s" %d',
        ("127.0.0.1:5", "GET", "/oidc/callback/?code=secret&state=secret", "1.1", 302), None,
    )  # fmt: skip

    assert WithoutQuery().filter(record)
    assert record.getMessage() == '127.0.0.1:5 - "GET /oidc/callback/ HTTP/1.1" 302'


def test_uvicorn_s_access_log_has_the_filter() -> None:
    assert any(isinstance(each, WithoutQuery) for each in logging.getLogger("uvicorn.access").filters)


@pytest.mark.parametrize(
    "name", ["botocore.endpoint", "botocore.parsers", "urllib3.connectionpool", "django.db.backends"]
)
def test_what_would_log_bodies_is_silent_at_every_level(name: str) -> None:
    assert not logging.getLogger(name).isEnabledFor(logging.INFO)
