"""The headers that every answer has, also those that no view gives; and expressions that hold nothing of anybody."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone

from messaging.dynamodb.table import MessageTable
from messaging.queries import conversations
from tests.messaging import talk
from tests.test_every_address import SCRIPT, check_headers
from users.models import User

HOSTILE = 'mine" :x, #y SET pk = attribute_exists(sk) REMOVE'


def broken(**_: object) -> None:
    raise RuntimeError("a bug")


@pytest.fixture
def client(andrew: User) -> Client:
    found = Client(raise_request_exception=False)
    found.force_login(andrew)
    return found


@pytest.mark.django_db
def test_errors_before_and_after_the_views_have_the_headers_of_every_answer(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    forged = Client(enforce_csrf_checks=True)
    answers = {
        400: client.get("/", headers={"host": "evil.example"}),
        403: forged.post("/oidc/authenticate/"),
        404: client.get("/nothing"),
        405: client.post("/messages"),
        413: client.post("/messages/new", {"message": "x" * 300_000}),
        302: Client().get("/messages"),
        301: client.get("/messages/"),
    }
    monkeypatch.setattr(conversations, "list_conversations", broken)
    answers[500] = client.get("/messages")

    for status, answer in answers.items():
        assert answer.status_code == status
        check_headers(answer, f"the answer with {status}")


@pytest.mark.django_db
def test_static_files_cannot_be_taken_for_pages() -> None:
    answer = Client().get("/static/css/tokens.css")

    assert answer.status_code == 200
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Type"].startswith("text/css")
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]


@pytest.mark.django_db
def test_user_text_is_never_part_of_an_expression(
    client: Client, table: MessageTable, andrew: User, bayko: User
) -> None:
    asked = list[dict[str, Any]]()
    table.client.meta.events.register("provide-client-params.dynamodb.*", lambda params, **_: asked.append(params))
    first = talk.start(by=andrew.uuid, to=bayko.uuid, now=timezone.now())
    form = {"message": HOSTILE, "message_uuid": uuid4(), "after": first.created_at}
    assert client.post(f"/messages/{first.group_uuid}", form, headers=SCRIPT).status_code == 201
    client.get(f"/messages/{first.group_uuid}", {"before": HOSTILE})
    client.get("/messages", {"before": HOSTILE})

    said = list(expressions(asked))
    assert HOSTILE in str(asked), "it was sent as a value"
    assert [each for each in said if each.startswith(("SET ", "attribute_", "#"))]
    assert not [each for each in said if "mine" in each]


def expressions(value: Any) -> list[str]:
    """Return every expression and every name in requests, however deep."""
    if isinstance(value, dict):
        found = list[str]()
        for key, each in value.items():
            if key.endswith("Expression") and isinstance(each, str):
                found.append(each)
            elif key == "ExpressionAttributeNames":
                found += each.values()
            else:
                found += expressions(each)
        return found
    return [text for each in value for text in expressions(each)] if isinstance(value, list) else []
