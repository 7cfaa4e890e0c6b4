"""Random requests at every address: whatever comes, the answer is one that was meant. `make fuzz` tries many more."""

from __future__ import annotations

import logging
import os
import re
from collections import Counter
from collections.abc import Iterable
from urllib.parse import quote

import pytest
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cruddur.web.rate_limits import LIMITS, Limit
from messaging.dynamodb.table import MessageTable
from tests.cookies import COOKIES
from tests.corpus import naughty_strings, script_vectors
from users.models import User

from .messaging.talk import start
from .test_every_address import routes

pytestmark = pytest.mark.slow

TRIES = int(os.environ.get("FUZZ", "300"))
METHODS = ("GET", "GET", "GET", "POST", "POST", "HEAD", "PUT", "DELETE", "OPTIONS", "PATCH")
NAMES = (
    "after", "answer", "around", "before", "bio", "created_at", "current", "details", "display_name", "first", "for",
    "group", "handle", "last", "message", "message_uuid", "newest", "next", "page", "q", "reason", "state", "code",
    "to",
    "error", "version", "keys", "theme", "writers", "_changelist_filters", "o", "p", "e", "all", "action", "index",
    "app_label", "model_name", "field_name", "term", "created_at__gte", "is_active__exact", "csrfmiddlewaretoken",
    "created_at__lt", "created_at__year", "at__gte", "at__lt", "at__year", "act", "actor_handle", "actor_uuid",
    "snapshot__regex", "snapshot__5__message__startswith", "note__icontains", "reason__exact", "decision__reason",
    "has_notice", "may_write", "deletion_asked_at__isnull", "email__regex", "cognito", "pk", "id", "id__in",
    "_selected_action", "select_across", "confirmed", "_to_field", "_facets", "_popup", "one", "other", "notice",
    "verdict", "text",
)  # fmt: skip
HEADERS = (
    "accept", "accept-language", "last-event-id", "x-request-id", "referer", "origin", "sec-fetch-site", "purpose",
    "range", "if-modified-since", "if-none-match", "content-type", "x-csrftoken", "x-forwarded-for",
    "x-forwarded-proto",
)  # fmt: skip
SENT_COOKIES = (COOKIES.timezone, COOKIES.theme, COOKIES.keys, COOKIES.language, COOKIES.messages)
EXTREMES = (
    "9999-12-31T23:59:59.999999+00:00", "0001-01-01T00:00:00.000000+00:00", "0001-01-01T00:00:00.000000+23:59",
    "9999-12-31T23:59:59.999999-23:59", "0001-01-01", "9999-12-31", "99999999999", "9" * 30, "-1",
    "9223372036854775807", "9223372036854775808", "ffffffff-ffff-ffff-ffff-ffffffffffff", "%00", "a%00b", "0", "",
)  # fmt: skip
"""The ends of what a converter, a date, a number or a uuid can be, as they are written in an address."""
PARAMETERS = {
    "site": ("after", "before", "around", "current", "first", "last", "newest", "page", "version", "group", "state"),
    "admin": ("p", "o", "created_at__gte", "created_at__year", "at__gte", "snapshot__regex", "state", "before",
              "_to_field"),
}  # fmt: skip
"""Parameters of a query that mean a moment, a number, a uuid or a lookup somewhere."""
FIELDS = ("created_at", "notice", "after", "_selected_action", "index", "group", "before", "one")
"""The same of forms."""
WORST = ("9999-12-31T23:59:59.999999+00:00", "0001-01-01T00:00:00.000000+23:59", "9" * 30, "(")
ODD = ("", "0", "-1", "9" * 30, "1e9", "\x00", "%00", "\ud800".encode("utf-8", "surrogatepass").decode("latin1"),
       "../../etc/passwd", "2026-11-21T09:05:00.000000Z", "2026-13-45T99:99:99.999999Z", "true", *EXTREMES, "(",
       "null", "[]", "٣", "²",
       "00000000-0000-0000-0000-000000000000", "_", "A" * 5000, "\r\nX-Evil: 1", "\u202emoc.live", "\u0131",
       "\ufb01")  # fmt: skip

odd_texts = st.one_of(
    st.sampled_from(ODD), st.sampled_from(naughty_strings()), st.sampled_from(script_vectors()), st.text(max_size=60)
).map(lambda text: text.encode("utf-8", "replace").decode())  # a lone surrogate has no UTF-8: see test_hostile_input


def parameters(known: list[str]) -> st.SearchStrategy[dict[str, str]]:
    return st.dictionaries(st.sampled_from(NAMES), st.one_of(odd_texts, st.sampled_from(known)), max_size=5)


def clients_of(member: User, administrator: User) -> dict[str, Client]:
    """Return a browser of each role, by the handle of the signed-in user."""
    User.objects.filter(pk=administrator.pk).update(is_staff=True, is_superuser=True)
    User.objects.create_user(handle="mo", display_name="Mo", cognito_user_id="sub-mo", is_staff=True)
    names = ("nobody", member.handle, "mo", administrator.handle)
    clients = {name: Client(raise_request_exception=False) for name in names}
    for name in names[1:]:
        clients[name].force_login(User.objects.get(handle=name))
    return clients


def path_of(route: str, fills: Iterable[str]) -> str:
    """Return the path of a route whose converters are filled, in this order, with these URL-encoded values."""
    filled = iter(fills)
    path = re.sub(r"<[a-z]+:[a-z_]+>", lambda _: next(filled), route)
    return "/" + re.sub(r"[\^$]|\(\?P<\w+>[^)]*\)", "x", path)


@pytest.mark.django_db
@pytest.mark.parametrize("who", ["andrewbrown", "mo", "londo"])
def test_the_ends_of_time_numbers_and_text_are_refused_at_every_address(
    who: str, moto_table: MessageTable, andrew: User, bayko: User, londo: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in LIMITS:
        monkeypatch.setitem(LIMITS, name, Limit(name, 10**6, 0.001))
    message = start(by=andrew.uuid, to=bayko.uuid)
    client = clients_of(andrew, londo)[who]
    group = str(message.group_uuid)
    part = "site" if who == "andrewbrown" else "admin"
    requests: list[tuple[str, str, dict[str, str]]] = []
    for route in sorted(set(routes()) - {"oidc/logout/", "admin/logout/"}):
        if route.startswith("admin/") != (part == "admin"):
            continue
        converters = len(re.findall("<[a-z]+:", route))
        fills = [[value] * converters for value in EXTREMES if converters and value]
        fills += [[group, value] for value in EXTREMES if converters == 2 and value]
        requests += [("GET", path_of(route, each), {}) for each in fills]
        plain = path_of(route, [group, message.created_at] if "group_uuid" in route else [str(bayko.uuid)] * converters)
        requests += [("GET", plain, {name: value}) for name in PARAMETERS[part] for value in WORST]
        requests += [("POST", plain, {**dict.fromkeys(FIELDS, value), "action": "enable"}) for value in WORST]
    mistakes = []
    for method, path, query in requests:
        status = (client.get if method == "GET" else client.post)(path, query).status_code
        if status >= 500 and status != 503:
            mistakes.append((status, method, path, query))

    assert mistakes == []
    assert len(requests) > 1000


@pytest.mark.django_db
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_no_request_causes_a_server_error(
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
    clients = clients_of(andrew, londo)
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
        cookies=st.dictionaries(st.sampled_from(SENT_COOKIES), odd_texts, max_size=1),
    )  # fmt: skip
    def ask(
        route: str, who: str, method: str, fills: list[str], query: dict[str, str], form: dict[str, str],
        headers: dict[str, str], cookies: dict[str, str],
    ) -> None:  # fmt: skip
        client = clients[who]
        path = path_of(route, (quote(each, safe="") for each in fills))
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
