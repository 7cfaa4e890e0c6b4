"""Exceeded rate limits: the response is 429, says when to retry, and keeps the text."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone

from cruddur.web.rate_limits import LIMITS, take
from messaging.actions import send_limits
from messaging.domain.entities import pair_group_uuid
from messaging.dynamodb.table import MessageTable
from tests.messaging.pages import draft_of, text_of
from users.models import User

NEW = "/messages/new/bayko"


def use_up(name: str, who: object) -> None:
    limit = LIMITS[name]
    take(limit, who=str(who), now=timezone.now() + timedelta(seconds=5), cost=limit.at_once)


@pytest.fixture
def signed_in(client: Client, andrew: User, fake_table: MessageTable) -> Client:
    client.force_login(andrew)
    return client


def test_it_keeps_the_text_of_a_first_message_to_too_many(signed_in: Client, andrew: User, bayko: User) -> None:
    use_up("new_conversations_new_account", andrew.uuid)

    response = signed_in.post(NEW, {"message": "Hello", "message_uuid": str(uuid4()), "after": ""})

    assert (response.status_code, draft_of(response)) == (429, "Hello")
    assert int(response["Retry-After"]) > 3600
    assert "You have begun a lot of conversations" in text_of(response)


def test_old_account_may_start_more_conversations(andrew: User, bayko: User) -> None:
    andrew.created_at = timezone.now() - timedelta(days=8)
    use_up("new_conversations_new_account", andrew.uuid)

    send_limits.take_to_begin(andrew, now=timezone.now())


def test_each_pair_has_its_own_limit(signed_in: Client, andrew: User, bayko: User, londo: User) -> None:
    use_up("messages_to_one", f"{andrew.uuid}:{pair_group_uuid(andrew.uuid, bayko.uuid)}")
    form = {"message": "Hello", "message_uuid": str(uuid4()), "after": ""}

    to_bayko = signed_in.post(NEW, form, headers={"accept": "application/json"})

    assert (to_bayko.status_code, to_bayko.json()) == (429, {"error": "too_many_requests"})
    assert signed_in.post("/messages/new/londo", form).status_code == 303


@pytest.mark.parametrize("path", ["/messages/people?q=b", "/messages/new?q=b"])
def test_searches_are_rate_limited(signed_in: Client, andrew: User, bayko: User, path: str) -> None:
    use_up("searches", andrew.uuid)

    response = signed_in.get(path)

    assert (response.status_code, response["Cache-Control"]) == (429, "no-store")
    assert 1 <= int(response["Retry-After"]) <= 6
    assert signed_in.get("/messages/new").status_code == 200


@pytest.mark.django_db
def test_sign_in_steps_are_rate_limited_per_network(client: Client) -> None:
    use_up("sign_ins", "192.0.2.7")

    assert client.post("/oidc/authenticate/", REMOTE_ADDR="192.0.2.7").status_code == 429
    assert client.post("/oidc/authenticate/", REMOTE_ADDR="192.0.2.8").status_code != 429


def test_a_text_that_cannot_be_sent_takes_a_token_of_messages_and_none_of_conversations(
    signed_in: Client, andrew: User, bayko: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    form = {"message": "a" * 5000, "message_uuid": str(uuid4()), "after": ""}
    # No token comes back before the last of these requests, however slow the machine is.
    limit = replace(LIMITS["messages_to_one"], refill_seconds=3600.0)
    monkeypatch.setattr(send_limits, "LIMITS", {**LIMITS, limit.name: limit})

    answers = [signed_in.post(NEW, form).status_code for _ in range(limit.at_once + 1)]

    assert answers == [422] * limit.at_once + [429], "before the text is looked at"
    take(
        LIMITS["new_conversations"], who=str(andrew.uuid), now=timezone.now(), cost=LIMITS["new_conversations"].at_once
    )


def test_an_incomplete_form_that_comes_too_fast_comes_back_with_its_text(
    signed_in: Client, andrew: User, bayko: User
) -> None:
    use_up("messages", andrew.uuid)

    response = signed_in.post(NEW, {"message": "Hello"})

    assert (response.status_code, draft_of(response)) == (429, "Hello")
