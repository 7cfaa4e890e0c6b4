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
from messaging.actions import read as read_actions
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
def test_every_status_has_a_page(status: int) -> None:
    response = errors.error_page(RequestFactory().get("/"), status, retry_after=2)

    assert response.status_code == status
    assert f'aria-hidden="true">{status}</p>' in response.content.decode()


@pytest.mark.django_db
def test_unknown_url_is_404(client: Client) -> None:
    assert "There is nothing here" in client.get("/nothing").content.decode()


@pytest.mark.django_db
def test_unavailable_page_retries_by_itself(client: Client, andrew: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conversations, "list_conversations", unavailable)
    client.force_login(andrew)

    response = client.get("/messages?before=2026")

    assert (response.status_code, response["Retry-After"]) == (503, "10")
    assert '<span data-retry-after="10" hidden>' in response.content.decode()
    assert 'href="/messages?before=2026"' in response.content.decode()


@pytest.mark.django_db
def test_unavailable_page_does_not_repeat_a_post(client: Client, andrew: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(read_actions, "mark_read", unavailable)
    client.force_login(andrew)

    response = client.post(f"/messages/{andrew.uuid}/read", {"created_at": "x"})

    assert response.status_code == 503
    assert "data-retry-after" not in response.content.decode()


def test_too_many_requests_says_when_to_retry() -> None:
    middleware = ErrorResponseMiddleware(lambda _: None)  # type: ignore[arg-type,return-value]

    response = middleware.process_exception(RequestFactory().get("/"), RateLimited(7, "searches"))

    assert response is not None
    assert (response.status_code, response["Retry-After"]) == (429, "7")
    assert "try again in 7 seconds" in response.content.decode()


@pytest.mark.django_db
def test_bug_is_500_with_a_logged_incident(
    client: Client, andrew: User, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(conversations, "list_conversations", broken)
    client.force_login(andrew)
    client.raise_request_exception = False

    response = client.get("/messages")

    (incident,) = [record.args[0] for record in caplog.records if record.msg.startswith("Incident")]  # type: ignore[index]
    assert response.status_code == 500
    assert str(incident) in response.content.decode()


def test_page_of_a_bug_needs_no_database_or_session(settings: Settings) -> None:
    (templates,) = settings.TEMPLATES
    options = {**templates["OPTIONS"], "context_processors": ["nothing.such"]}
    settings.TEMPLATES = [{**templates, "OPTIONS": options}]
    with pytest.raises(ImportError, match="nothing"):
        render(RequestFactory().get("/"), "landing.html")

    assert errors.server_error(RequestFactory().get("/")).status_code == 500


@pytest.mark.django_db
def test_script_gets_json(client: Client, andrew: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conversations, "list_conversations", unavailable)
    client.force_login(andrew)

    response = client.get("/messages", headers={"Accept": "application/json"})

    assert (response.status_code, response.json()) == (503, {"error": "Service Unavailable"})
    assert response["Retry-After"] == "10"


@pytest.mark.django_db
def test_form_without_a_csrf_token_is_403() -> None:
    response = Client(enforce_csrf_checks=True).post("/oidc/logout/")

    assert response.status_code == 403
    assert "This form has expired" in response.content.decode()


@pytest.fixture
def postgres_away(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OperationalError("connection refused")

    monkeypatch.setattr("users.sessions.store.SessionStore.load", refuse)


@pytest.mark.django_db
@pytest.mark.usefixtures("postgres_away")
def test_page_is_503_while_postgres_is_away(client: Client) -> None:
    client.cookies[COOKIES.session] = "somebody"

    response = client.get("/messages")

    assert response.status_code == 503
    assert response["Retry-After"]


@pytest.mark.django_db
@pytest.mark.usefixtures("postgres_away")
def test_message_is_kept_while_postgres_is_away(client: Client) -> None:
    client.cookies[COOKIES.session] = "somebody"

    response = client.post(f"/messages/{uuid4()}", {"message": "Keep me", "message_uuid": str(uuid4()), "after": ""})

    assert response.status_code == 503
    assert "Keep me" in response.content.decode()
