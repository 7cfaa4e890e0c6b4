"""A page on another origin reads nothing and changes nothing on any port of the stack, whatever it sends there."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from playwright.sync_api import Page, Response

from messaging.dynamodb.table import MessageTable
from tools.local_stack.aws_guard import HEALTH
from tools.local_stack.ports import BROWSERS_REFUSE
from users.cognito.pool import user_pool
from users.models import User

from .conftest import PASSWORD, Enter
from .hostile_page import ATTACK, Stranger, stranger

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

ANYBODY = {"Access-Control-Allow-Origin": "*", "Access-Control-Allow-Headers": "*", "Access-Control-Allow-Methods": "*"}
"""What an emulator without a guard answers to everybody."""
CREATE_FUNCTION = {"FunctionName": "x", "Runtime": "python3.11", "Handler": "x.y", "Code": json.dumps({"ZipFile": ""})}


def emulator_port() -> int:
    return urlsplit(os.environ["AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER"]).port or 0


def sign_in_page(host: str) -> str:
    return (
        f"http://{host}:{emulator_port()}/oauth2/authorize?response_type=code&scope=openid&state=s"
        f"&client_id={settings.OIDC_RP_CLIENT_ID}&redirect_uri={settings.APP_URL}/oidc/callback/"
    )


def addresses() -> list[str]:
    """Return the addresses to try for each port: emulator and site by both names of loopback, and Postgres."""
    port, pool = emulator_port(), settings.COGNITO_USER_POOL_ID
    paths = (
        "/", HEALTH, "/_ministack/health", "/2015-03-31/functions", "/bucket", f"/{pool}/.well-known/jwks.json",
        "/logout",
    )  # fmt: skip
    site, database = urlsplit(settings.APP_URL).port, settings.DATABASES["default"]["PORT"]
    return [
        *(f"http://{host}:{port}{path}" for host in ("localhost", "127.0.0.1") for path in paths),
        *(sign_in_page(host) for host in ("localhost", "127.0.0.1")),
        *(f"http://localhost:{site}{path}" for path in ("/", "/messages", "/messages/stream", "/settings", "/healthz")),
        f"http://127.0.0.1:{database}/",
        f"http://localhost:{database}/",
    ]


def posts() -> list[dict[str, Any]]:
    """Return requests that would change something: code on the emulator, a user, a sign-in, a person's settings."""
    site = settings.APP_URL
    login = {
        "client_id": settings.OIDC_RP_CLIENT_ID, "redirect_uri": f"{site}/oidc/callback/", "scope": "openid",
        "state": "s", "response_type": "code", "username": "bayko@cruddur.example", "password": PASSWORD,
    }  # fmt: skip
    forms = {
        "/2015-03-31/functions": CREATE_FUNCTION,
        "/2015-03-31/functions/x/invocations": {},
        "/_ministack/reset": {},
        "/?Action=CreateUser&UserName=x&X-Amz-Credential=test/20260101/us-east-1/iam/aws4_request": {},
        "/": {"Action": "CreateUser", "UserName": "x"},
        "/login": login,
    }
    return [
        *({"url": f"http://{host}:{emulator_port()}{path}", "fields": fields}
          for host in ("localhost", "127.0.0.1") for path, fields in forms.items()),
        {"url": f"{site}/settings", "fields": {"display_name": "Mallory", "bio": "x"}},
        {"url": f"{site}/messages/new/bayko", "fields": {"message": "Hello from elsewhere"}},
        {"url": f"{site}/oidc/logout/", "fields": {}},
    ]  # fmt: skip


def everything(table: MessageTable) -> Any:
    """Return what a stranger might change: the table, the people, and these people's users in the pool.

    Other test processes share the emulator: their tables and users come and go meanwhile.
    """
    items = table.client.scan(TableName=table.name, ConsistentRead=True)["Items"]
    people = list(User.objects.order_by("handle").values())
    emails = {person["email"] for person in people}
    users = sorted((user for user in user_pool().users() if user.email in emails), key=lambda user: user.sub)
    return sorted(map(repr, items)), people, users


@pytest.fixture
def evil() -> Iterator[Stranger]:
    with stranger() as server:
        yield server


def visit(page: Page, url: str) -> Page:
    """Visit an address in another tab of the same browser, with the same cookies."""
    other = page.context.new_page()
    other.goto(url)
    return other


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "evil.localhost"])
def test_another_origin_reads_and_changes_nothing(enter: Enter, table: MessageTable, evil: Stranger, host: str) -> None:
    """`localhost` is the same site as the stack, whose cookies come along; the others are cross-site."""
    andrew = enter("andrewbrown")
    before = everything(table)
    page = visit(andrew, f"http://{host}:{evil.server_port}/")
    answers: list[Response] = []

    def note(answer: Response) -> None:
        answers.append(answer)

    page.on("response", note)

    result = page.evaluate(ATTACK, {"addresses": addresses(), "posts": posts()})

    assert result["read"] == []
    assert len(result["tried"]) == 12 * len(addresses()) + 5 * len(posts())
    assert everything(table) == before
    statuses = {each.status for each in answers if urlsplit(each.url).port == emulator_port()}
    assert statuses == {403}
    written = [each for each in answers if each.request.method == "POST" and each.url.startswith(settings.APP_URL)]
    assert {each.status for each in written} == {403}
    framed = {frame.url for frame in page.frames[1:]}
    assert {urlsplit(url).scheme for url in framed} <= {"chrome-error", "about"}
    andrew.reload()
    assert urlsplit(andrew.url).path == "/messages"  # still signed in


def test_attack_succeeds_against_unguarded_servers(enter: Enter, evil: Stranger) -> None:
    """Proves that the test above can detect a successful attack."""
    page = visit(enter("andrewbrown"), f"http://127.0.0.1:{evil.server_port}/")
    with stranger(headers=ANYBODY) as unguarded:
        url = f"http://localhost:{unguarded.server_port}/2015-03-31/functions"

        page.evaluate(ATTACK.replace('credentials: "include"', 'credentials: "omit"'),
                      {"addresses": [url], "posts": [{"url": url, "fields": CREATE_FUNCTION}]})  # fmt: skip
        result = page.evaluate(
            ATTACK.replace('credentials: "include"', 'credentials: "omit"'), {"addresses": [url], "posts": []}
        )

    assert {f"{how} {url}" for how in ("cors", "preflight", "PUT", "DELETE", "css")} <= {*result["read"], f"css {url}"}
    assert f"cors {url}" in result["read"]
    assert f"preflight {url}" in result["read"]
    assert unguarded.asked.count("POST /2015-03-31/functions") >= 5


@pytest.mark.parametrize("part", ["emulator", "site"])
def test_request_with_rebound_host_name_is_rejected(enter: Enter, table: MessageTable, part: str) -> None:
    """Such a page is of one origin with what it asks: only the Host tells."""
    port = emulator_port() if part == "emulator" else urlsplit(settings.APP_URL).port
    page = enter("andrewbrown").context.new_page()
    before = everything(table)

    answer = page.goto(f"http://evil.localhost:{port}/")
    statuses = page.evaluate(
        """async (paths) => {
            const found = [];
            for (const path of paths) for (const method of ["GET", "POST"]) {
              const headers = { "X-Amz-Target": "DynamoDB_20120810.ListTables",
                "Authorization": "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/dynamodb/aws4_request, "
                  + `SignedHeaders=host, Signature=${"0".repeat(64)}` };
              found.push((await fetch(path, { method, headers, body: method === "POST" ? "{}" : undefined })).status);
            }
            return found;
        }""",
        ["/", "/login", "/messages", "/oauth2/authorize", "/2015-03-31/functions", "/_ministack/reset", HEALTH],
    )

    assert answer is not None
    refused = 421 if part == "emulator" else 400
    assert {answer.status, *statuses} == {refused}
    assert everything(table) == before


def test_browser_refuses_every_port_that_dynamodb_local_may_use(enter: Enter, evil: Stranger) -> None:
    """DynamoDB Local has no guard. Servers in its place count their visitors."""
    page = visit(enter("andrewbrown"), f"http://127.0.0.1:{evil.server_port}/")
    with ExitStack() as servers:
        amazons = []
        for port in BROWSERS_REFUSE:
            with suppress(OSError):  # another program listens on it
                amazons.append(servers.enter_context(stranger(port, headers=ANYBODY)))
        ports = [each.server_port for each in amazons]
        urls = [f"http://127.0.0.1:{port}/" for port in ports]

        result = page.evaluate(ATTACK, {"addresses": urls, "posts": [{"url": url, "fields": {}} for url in urls]})

    assert len(ports) > len(BROWSERS_REFUSE) / 2
    assert (result["read"], {each.server_port: each.asked for each in amazons if each.asked}) == ([], {})


def test_visits_of_the_sign_in_page_and_of_the_site_pass(enter: Enter, evil: Stranger) -> None:
    page = visit(enter("andrewbrown"), f"http://127.0.0.1:{evil.server_port}/")

    for url, selector in ((sign_in_page("localhost"), "[name=password]"), (f"{settings.APP_URL}/messages", "main")):
        page.evaluate("(url) => { location.href = url }", url)

        page.wait_for_selector(selector)
        page.goto(f"http://127.0.0.1:{evil.server_port}/")


def test_window_opened_on_the_sign_in_page_is_out_of_reach(enter: Enter, evil: Stranger) -> None:
    page = visit(enter("andrewbrown"), f"http://127.0.0.1:{evil.server_port}/")

    with page.expect_popup() as opened:
        page.evaluate("(url) => { window.victim = window.open(url) }", sign_in_page("localhost"))
    opened.value.wait_for_selector("[name=password]")

    assert page.evaluate("() => { try { return victim.document.title } catch { return null } }") is None
    assert page.evaluate("() => victim.closed")  # cut off by Cross-Origin-Opener-Policy
    opened.value.close()
