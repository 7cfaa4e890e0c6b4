"""The debug panel shows developers, and nobody else, the cost of a page."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from uuid import uuid4

import pytest
from django.conf import settings as django_settings
from django.db import connection as db_connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django.fixtures import Settings

from messaging.domain.entities import pair_group_uuid
from messaging.dynamodb import connection
from messaging.dynamodb.keys import group_pk
from messaging.dynamodb.request_log import requested_keys
from messaging.dynamodb.table import MessageTable
from tests import html
from tests.cookies import COOKIES
from tests.cruddur.test_checks import PRODUCTION
from tests.messaging.faults import answer, fault
from tests.messaging.talk import NOW, start, write_all
from users.models import User

ROOT = Path(__file__).parents[3]
PANEL = "messaging.views.debug_panel.DebugPanelMiddleware"
TIMING = re.compile(
    r'sql;desc="(\d+) statements";dur=[\d.]+, dynamodb;desc="(\d+) calls((?:, [\d.]+ [RW]CU)*)";dur=[\d.]+, '
    r'all;desc="the whole answer";dur=[\d.]+'
)


@pytest.fixture
def panel(settings: Settings) -> None:
    """Enable the panel as in development; use before the table fixture, whose requests it then sees."""
    settings.DEBUG_PANEL = True
    place = settings.MIDDLEWARE.index("django.middleware.gzip.GZipMiddleware") + 1
    settings.MIDDLEWARE = [*settings.MIDDLEWARE[:place], PANEL, *settings.MIDDLEWARE[place:]]


@pytest.fixture
def browser(andrew: User) -> Client:
    client = Client()
    client.force_login(andrew)
    return client


def timing(header: str) -> tuple[int, int, str]:
    """Return statements, calls and units."""
    found = TIMING.fullmatch(header)
    assert found, header
    return int(found[1]), int(found[2]), found[3].removeprefix(", ")


def test_page_shows_its_cost_in_header_and_panel(
    panel: None, table: MessageTable, browser: Client, andrew: User, bayko: User
) -> None:
    start(by=andrew.uuid, to=bayko.uuid)
    group = pair_group_uuid(andrew.uuid, bayko.uuid)
    browser.cookies[COOKIES.timezone] = "UTC"

    response = browser.get(f"/messages/{group}")
    page = response.content.decode()

    assert timing(response["Server-Timing"])[1] == 3
    assert "RCU" in timing(response["Server-Timing"])[2]
    assert page.count("<details>") == 1, "collapsed"
    rows = html.parse(page).iterfind(".//th[@scope='row']")
    assert [html.words(row).split()[0] for row in rows] == ["BatchGetItem", "Query", "Query"]
    for key in (f"{group_pk(group)} #CONVERSATION", f"GRP#{andrew.uuid} {group}", f"inbox = GRP#{andrew.uuid}"):
        assert f"<code>{key}" in page
    assert "inbox-index" in page


def test_panel_adds_no_statements(panel: None, moto_table: MessageTable, browser: Client) -> None:
    with CaptureQueriesContext(db_connection) as made:
        page = browser.get("/messages").content.decode()

    assert f"<b>SQL</b> {len(made)} ·" in page


def test_script_response_has_only_the_header(panel: None, moto_table: MessageTable, browser: Client) -> None:
    response = browser.get("/messages/rows")

    assert timing(response["Server-Timing"])[1] >= 1
    assert b"debug" not in response.content


def test_content_length_includes_the_panel(panel: None, moto_table: MessageTable, browser: Client) -> None:
    response = browser.get("/messages")

    assert int(response["Content-Length"]) == len(response.content)


def test_failed_request_is_in_the_panel(panel: None, moto_table: MessageTable, browser: Client) -> None:
    throttling = answer("ProvisionedThroughputExceededException")
    with fault(moto_table, "Query", throttling, throttling):
        response = browser.get("/messages")

    assert response.status_code == 503
    assert b"<strong>ProvisionedThroughputExceededException</strong>" in response.content


def test_panel_shows_keys_but_no_texts(
    panel: None, moto_table: MessageTable, browser: Client, andrew: User, bayko: User
) -> None:
    form = {"message": "Meet me at the lighthouse", "message_uuid": str(uuid4()), "after": ""}
    group = pair_group_uuid(andrew.uuid, bayko.uuid)

    response = browser.post("/messages/new/bayko", form)

    assert response.status_code == 303
    assert timing(response["Server-Timing"])[1] >= 1
    (panel_of_page,) = html.parse(browser.get(f"/messages/{group}").text).iterfind(".//aside[@class='debug']")
    assert "lighthouse" not in html.source(panel_of_page)


def test_panel_is_absent_without_the_setting(moto_table: MessageTable, browser: Client) -> None:
    asked = []
    moto_table.client.meta.events.register("before-call.dynamodb", lambda params, **_: asked.append(params["body"]))

    response = browser.get("/messages")

    assert "Server-Timing" not in response
    assert b'class="debug"' not in response.content
    assert asked
    assert not [body for body in asked if b"ReturnConsumedCapacity" in body]
    assert PANEL not in django_settings.MIDDLEWARE


@pytest.mark.slow
@pytest.mark.parametrize(("environment", "on"), [("production", False), ("local", True)])
def test_panel_is_only_for_development(environment: str, on: bool) -> None:
    script = (
        "import json\nfrom cruddur import settings\n"
        f"print(json.dumps([settings.DEBUG_PANEL, {PANEL!r} in settings.MIDDLEWARE]))"
    )
    variables = {**PRODUCTION, "CRUDDUR_ENV": environment, "DEBUG": "true", "CRUDDUR_LOCAL_DIR": "/nonexistent"}
    if environment == "production":
        variables["DEBUG_PANEL"] = "true"

    told = subprocess.run(
        [sys.executable, "-c", script], env={"PATH": os.environ["PATH"], **variables}, cwd=ROOT, check=True,
        capture_output=True,
    )  # fmt: skip

    assert json.loads(told.stdout) == [on, on]


def test_every_request_of_a_conversation_shows_its_keys(
    panel: None, moto_table: MessageTable, andrew: User, bayko: User
) -> None:
    from messaging.dynamodb.request_log import collected  # noqa: PLC0415

    first = start(by=andrew.uuid, to=bayko.uuid)
    write_all(moto_table, [(andrew.uuid, "One", NOW)], members=(andrew.uuid, uuid4()))
    table = connection.message_table()
    with collected() as calls:
        table.conversation(first.group_uuid)
        table.messages_before(first.group_uuid, first.created_at, limit=20)

    got, queried = [list(requested_keys(call.parameters)) for call in calls]
    pk = group_pk(first.group_uuid)
    assert got == [f"{pk} #CONVERSATION"]
    assert queried == [
        f"pk = {pk} AND sk BETWEEN 0 AND {first.created_at}, after {pk} {first.created_at}, backwards, 20 at most"
    ]


@pytest.mark.parametrize(
    ("parameters", "keys"),
    [
        ({"Key": {"sk": {"S": "b"}, "pk": {"S": "a"}}}, ["a b"]),
        ({"Item": {"pk": {"S": "a"}, "sk": {"S": "b"}, "message": {"S": "secret"}}}, ["a b"]),
        (
            {
                "TransactItems": [
                    {"Put": {"Item": {"pk": {"S": "a"}, "sk": {"S": "b"}, "message": {"S": "secret"}}}},
                    {"Update": {"Key": {"pk": {"S": "c"}, "sk": {"S": "d"}}}},
                ]
            },
            ["put a b", "update c d"],
        ),
        ({"RequestItems": {"table": {"Keys": [{"pk": {"S": "a"}, "sk": {"S": "b"}}]}}}, ["a b"]),
        (
            {"RequestItems": {"table": [{"DeleteRequest": {"Key": {"pk": {"S": "a"}, "sk": {"S": "b"}}}}]}},
            ["delete a b"],
        ),
        ({"TableName": "table"}, []),
    ],
)
def test_each_kind_of_request_shows_only_its_keys(parameters: dict[str, object], keys: list[str]) -> None:
    assert list(requested_keys(parameters)) == keys
