"""Random requests at every address: whatever comes, the answer is one that was meant. `make fuzz` tries many more."""

from __future__ import annotations

import logging
import os
import re
from collections import Counter
from urllib.parse import quote

import pytest
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cruddur.rate_limits import LIMITS, Limit
from messaging.dynamodb import MessageTable
from tests.corpus import naughty_strings, script_vectors
from users.models import User

from .messaging.talk import start
from .test_every_address import routes

TRIES = int(os.environ.get("FUZZ", "300"))
METHODS = ("GET", "GET", "GET", "POST", "POST", "HEAD", "PUT", "DELETE", "OPTIONS", "PATCH")
NAMES = (
    "after", "answer", "around", "before", "bio", "created_at", "current", "details", "display_name", "first", "for",
    "group", "handle", "last", "message", "message_uuid", "newest", "next", "page", "q", "reason", "state", "code",
    "to",
    "error", "version", "keys", "theme", "writers", "_changelist_filters", "o", "p", "e", "all", "action", "index",
    "app_label", "model_name", "field_name", "term", "created_at__gte", "is_active__exact", "csrfmiddlewaretoken",
)  # fmt: skip
HEADERS = (
    "accept", "accept-language", "last-event-id", "x-request-id", "referer", "origin", "sec-fetch-site", "purpose",
    "range", "if-modified-since", "if-none-match", "content-type", "x-csrftoken", "x-forwarded-for",
    "x-forwarded-proto",
)  # fmt: skip
COOKIES = ("timezone", "theme", "keys", "django_language", "messages")
ODD = ("", "0", "-1", "9" * 30, "1e9", "\x00", "%00", "\ud800".encode("utf-8", "surrogatepass").decode("latin1"),
       "../../etc/passwd", "2026-11-21T09:05:00.000000Z", "2026-13-45T99:99:99.999999Z", "true", "null", "[]",
       "٣", "²",
       "00000000-0000-0000-0000-000000000000", "_", "A" * 5000, "\r\nX-Evil: 1", "\u202emoc.live", "\u0131",
       "\ufb01")  # fmt: skip

odd_texts = st.one_of(
    st.sampled_from(ODD), st.sampled_from(naughty_strings()), st.sampled_from(script_vectors()), st.text(max_size=60)
).map(lambda text: text.encode("utf-8", "replace").decode())  # a lone surrogate has no UTF-8: see test_hostile_input


def parameters(known: list[str]) -> st.SearchStrategy[dict[str, str]]:
    return st.dictionaries(st.sampled_from(NAMES), st.one_of(odd_texts, st.sampled_from(known)), max_size=5)


@pytest.mark.django_db
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_no_request_whatsoever_is_answered_by_a_mistake(
    moto_table: MessageTable,
    andrew: User,
    bayko: User,
    londo: User,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in LIMITS:
        monkeypatch.setitem(LIMITS, name, Limit(name, 10**6, 0.001))
    message = start(by=andrew.uuid, to=bayko.uuid)
    User.objects.filter(pk=londo.pk).update(is_staff=True, is_superuser=True)
    clients = {name: Client(raise_request_exception=False) for name in ("nobody", "andrewbrown", "londo")}
    for person in (andrew, londo):
        clients[person.handle].force_login(User.objects.get(pk=person.pk))
    known = [str(message.group_uuid), message.created_at, str(bayko.uuid), "bayko", f"{message.created_at}_x", "1"]
    tried: Counter[int] = Counter()

    @settings(
        max_examples=TRIES, deadline=None, database=None, derandomize="FUZZ" not in os.environ,
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(
        route=st.sampled_from(list(dict.fromkeys(routes()))),
        who=st.sampled_from(sorted(clients)),
        method=st.sampled_from(METHODS),
        fills=st.lists(st.one_of(st.sampled_from(known), st.sampled_from(known), odd_texts), min_size=3, max_size=3),
        query=parameters(known),
        form=parameters(known),
        headers=st.dictionaries(st.sampled_from(HEADERS), odd_texts, max_size=2),
        cookies=st.dictionaries(st.sampled_from(COOKIES), odd_texts, max_size=1),
    )  # fmt: skip
    def ask(
        route: str, who: str, method: str, fills: list[str], query: dict[str, str], form: dict[str, str],
        headers: dict[str, str], cookies: dict[str, str],
    ) -> None:  # fmt: skip
        client = clients[who]
        filled = iter(fills)
        path = re.sub(r"<[a-z]+:[a-z_]+>", lambda _: quote(next(filled), safe=""), route)
        path = "/" + re.sub(r"[\^$]|\(\?P<\w+>[^)]*\)", "x", path)
        # As a server gives them on: bytes of Latin-1, without line ends.
        sent = {
            name: re.sub(r"[\r\n\x00]", "", quote(value, safe=" /;=,*.-:'\"()<>")) for name, value in headers.items()
        }
        address = f"{path}?{'&'.join(f'{name}={quote(value)}' for name, value in query.items())}"
        for name, value in cookies.items():
            client.cookies[name] = quote(value)
        body = "&".join(f"{name}={quote(value)}" for name, value in form.items())
        caplog.clear()
        content_type = sent.pop("content-type", "application/x-www-form-urlencoded")
        response = client.generic(method, address, body, content_type=content_type, headers=sent)
        for name in cookies:
            client.cookies.pop(name, None)
        tried[response.status_code] += 1
        if response.status_code == 302 and "logout" in path and who != "nobody":
            client.force_login(User.objects.get(handle=who))
        assert response.status_code < 500 or response.status_code == 503, (method, address, body, sent)
        mistakes = [each.getMessage() for each in caplog.records if each.levelno >= logging.ERROR and not _is_503(each)]
        assert mistakes == [], (method, address, body, sent)

    ask()
    total = sum(tried.values())
    answers = ", ".join(f"{number} x {status}" for status, number in sorted(tried.items()))
    print(f"\n{total} random requests at {len(set(routes()))} addresses, 0 mistakes: {answers}")  # noqa: T201
    assert total >= TRIES


def _is_503(record: logging.LogRecord) -> bool:
    return getattr(record, "status_code", 0) == 503
