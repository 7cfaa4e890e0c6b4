"""The table of responses to exceptions of actions and queries."""

from __future__ import annotations

import inspect
import pkgutil
from collections.abc import Iterator
from importlib import import_module
from types import ModuleType

import pytest
from django.contrib.auth.models import AnonymousUser
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest
from django.test import RequestFactory

import messaging.actions
import messaging.domain
import messaging.queries
from cruddur.web.rate_limits import RateLimited
from messaging.actions.edit_message import NotTheWriter, TooLateToEdit
from messaging.actions.send_message import Blocked, MessageUuidReused
from messaging.actions.send_queue import MustWait
from messaging.dynamodb.client import Unavailable
from messaging.dynamodb.malformed import MalformedItem
from messaging.queries.conversations import ConversationNotFound, MessageNotFound
from messaging.views.composer import problem_of
from messaging.views.error_responses import COMPOSER_ERRORS, RESPONSES, error_response, row_of

PACKAGES = (messaging.domain, messaging.actions, messaging.queries)


def exceptions_of(package: ModuleType) -> Iterator[type[Exception]]:
    """Yield the exception classes that the modules of a package define."""
    for found in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
        module = import_module(found.name)
        for _, each in inspect.getmembers(module, inspect.isclass):
            if issubclass(each, Exception) and each.__module__ == module.__name__:
                yield each


DEFINED = {each for package in PACKAGES for each in exceptions_of(package)}


def request_for(accept: str = "text/html") -> HttpRequest:
    request = RequestFactory().get("/messages", headers={"Accept": accept})
    request.user = AnonymousUser()
    return request


def test_every_exception_of_actions_and_queries_has_a_row() -> None:
    missing = {each.__name__ for each in DEFINED if not any(base in RESPONSES for base in each.__mro__)}

    assert {ConversationNotFound, MessageNotFound, MustWait} <= DEFINED
    assert missing == set(), "add a row to messaging.views.error_responses.RESPONSES"


def test_every_exception_of_storage_and_limits_has_an_error_response() -> None:
    assert {Unavailable, MalformedItem, OperationalError, InterfaceError, RateLimited} <= RESPONSES.keys()


@pytest.mark.parametrize(
    ("exception", "status", "code"),
    [
        (ConversationNotFound(), 404, "Not Found"),
        (MessageNotFound(), 404, "Not Found"),
        (NotTheWriter(), 404, "Not Found"),
        (Blocked(), 403, "blocked"),
        (MessageUuidReused(), 409, "message_uuid_reused"),
        (TooLateToEdit(), 409, "too_late_to_edit"),
        (RateLimited(7, "searches"), 429, "too_many_requests"),
        (Unavailable(), 503, "Service Unavailable"),
    ],
)
def test_exception_is_answered_with_its_row(exception: Exception, status: int, code: str) -> None:
    page = error_response(request_for(), exception)
    body = error_response(request_for("application/json"), exception)

    assert page is not None
    assert (page.status_code, page["Content-Type"]) == (status, "text/html; charset=utf-8")
    assert body is not None
    assert body.status_code == status
    assert body.content.decode() == f'{{"error": "{code}"}}'


def test_bug_is_left_to_django() -> None:
    assert error_response(request_for(), RuntimeError("a bug")) is None
    assert error_response(request_for(), ValueError("a bug")) is None


def test_page_shows_the_sentence_of_the_row() -> None:
    response = error_response(request_for(), Blocked())

    assert response is not None
    assert "nothing can be written in this conversation" in response.content.decode()


@pytest.mark.parametrize("exception", COMPOSER_ERRORS)
def test_composer_explains_every_exception_it_catches(exception: type[Exception]) -> None:
    raised = RateLimited(7, "messages") if exception is RateLimited else exception()

    problem = problem_of(raised)

    row = row_of(raised)
    assert row is not None
    assert (problem.status, problem.code) == (row.status, row.code)
    assert problem.text
    assert (problem.retry_after is not None) == (problem.status == 429)
