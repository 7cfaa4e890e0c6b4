"""The pages of what goes wrong."""

from __future__ import annotations

from uuid import uuid4

import pytest
from django.db import OperationalError
from django.shortcuts import render
from django.test import Client, RequestFactory
from pytest_django import Settings

from cruddur.web import errors
from cruddur.web.rate_limits import RateLimited
from messaging.dynamodb.client import Unavailable
from messaging.middleware import ErrorResponseMiddleware
from messaging.queries import conversations
from tests.cookies import COOKIES
from users.models import User


def unavailable(**_: object) -> None:
    raise Unavailable


def broken(**_: object) -> None:
    raise RuntimeError("a bug")


@pytest.mark.parametrize("status", [400, 403, 404, 409, 429, 500, 503])
def test_every_status_has_its_page(status: int) -> None:
    response = errors.error_page(RequestFactory().get("/"), status, retry_after=2)

    assert response.status_code == status
    assert f'aria-hidden="true">{status}</p>' in response.content.decode()


@pytest.mark.django_db
def test_what_is_not_there_is_404(client: Client) -> None:
    assert "There is nothing here" in client.get("/nothing").content.decode()


@pytest.mark.django_db
def test_unavailable_tries_again_by_itself(client: Client, andrew: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conversations, "list_conversations", unavailable)
    client.force_login(andrew)

    response = client.get("/messages?before=2026")

    assert (response.status_code, response["Retry-After"]) == (503, "10")
    assert '<span data-retry-after="10" hidden>' in response.content.decode()
    assert 'href="/messages?before=2026"' in response.content.decode()


@pytest.mark.django_db
def test_unavailable_repeats_nothing_that_was_posted(
    client: Client, andrew: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(conversations, "mark_read", unavailable)
    client.force_login(andrew)

    response = client.post(f"/messages/{andrew.uuid}/read", {"created_at": "x"})

    assert response.status_code == 503
    assert "data-retry-after" not in response.content.decode()


def test_too_many_requests_says_when_to_try_again() -> None:
    middleware = ErrorResponseMiddleware(lambda _: None)  # type: ignore[arg-type,return-value]

    response = middleware.process_exception(RequestFactory().get("/"), RateLimited(7, "searches"))

    assert response is not None
    assert (response.status_code, response["Retry-After"]) == (429, "7")
    assert "try again in 7 seconds" in response.content.decode()


@pytest.mark.django_db
def test_a_bug_is_500_with_an_incident_that_the_log_names(
    client: Client, andrew: User, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(conversations, "list_conversations", broken)
    client.force_login(andrew)
    client.raise_request_exception = False

    response = client.get("/messages")

    (incident,) = [record.args[0] for record in caplog.records if record.msg.startswith("Incident")]  # type: ignore[index]
    assert response.status_code == 500
    assert str(incident) in response.content.decode()


def test_the_page_of_a_bug_needs_no_database_and_no_session(settings: Settings) -> None:
    (templates,) = settings.TEMPLATES
    options = {**templates["OPTIONS"], "context_processors": ["nothing.such"]}
    settings.TEMPLATES = [{**templates, "OPTIONS": options}]
    with pytest.raises(ImportError, match="nothing"):
        render(RequestFactory().get("/"), "landing.html")

    assert errors.server_error(RequestFactory().get("/")).status_code == 500


@pytest.mark.django_db
def test_a_script_gets_a_short_body(client: Client, andrew: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conversations, "list_conversations", unavailable)
    client.force_login(andrew)

    response = client.get("/messages", headers={"Accept": "application/json"})

    assert (response.status_code, response.json()) == (503, {"error": "Service Unavailable"})
    assert response["Retry-After"] == "10"


@pytest.mark.django_db
def test_a_form_without_a_token_is_403() -> None:
    response = Client(enforce_csrf_checks=True).post("/oidc/logout/")

    assert response.status_code == 403
    assert "This form has expired" in response.content.decode()


@pytest.fixture
def postgres_away(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OperationalError("connection refused")

    monkeypatch.setattr("messaging.realtime.session_store.SessionStore.load", refuse)


@pytest.mark.django_db
@pytest.mark.usefixtures("postgres_away")
def test_without_postgres_a_page_says_to_come_back(client: Client) -> None:
    client.cookies[COOKIES.session] = "somebody"

    response = client.get("/messages")

    assert response.status_code == 503
    assert response["Retry-After"]


@pytest.mark.django_db
@pytest.mark.usefixtures("postgres_away")
def test_without_postgres_a_message_comes_back_in_a_form(client: Client) -> None:
    client.cookies[COOKIES.session] = "somebody"

    response = client.post(f"/messages/{uuid4()}", {"message": "Keep me", "message_uuid": str(uuid4()), "after": ""})

    assert response.status_code == 503
    assert "Keep me" in response.content.decode()
