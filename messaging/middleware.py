"""The answers of what cannot be had now, and those to load balancers."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.urls import resolve

from cruddur.observability.log import HEALTH_PATHS
from cruddur.web import errors
from cruddur.web.rate_limits import RateLimited
from messaging.actions.send_queue import ConversationBusy, MustWait
from messaging.dynamodb.client import Unavailable
from messaging.dynamodb.malformed import MalformedItem, report
from messaging.queries.conversations import concerns
from users.models import User
from users.permissions import moderates

GetResponse = Callable[[HttpRequest], HttpResponse]


class UnavailableMiddleware:
    """Answer where a view has no better answer.

    503 when DynamoDB or Postgres is away, or what is stored is malformed; 429 when a person is too fast.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if isinstance(exception, Unavailable | OperationalError | InterfaceError):
            return errors.unavailable(request)
        if isinstance(exception, MalformedItem):
            return _malformed(request, exception)
        if isinstance(exception, RateLimited | ConversationBusy):
            return errors.too_many_requests(request, retry_after=exception.retry_after)
        if isinstance(exception, MustWait):
            # Nobody sees this answer: the queue handles the request again.
            return HttpResponse(status=HTTPStatus.ACCEPTED)
        return None


def _malformed(request: HttpRequest, error: MalformedItem) -> HttpResponse:
    report(error)
    if moderates(request.user) or (isinstance(request.user, User) and concerns(error, request.user.uuid)):
        return errors.malformed(request)
    return errors.not_found(request)


class HealthMiddleware:
    """Answers `/healthz` and `/readyz` ahead of sessions and of the check of the host.

    A load balancer asks each process by its address, which no ALLOWED_HOSTS can list.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path_info not in HEALTH_PATHS:
            return self.get_response(request)
        response: HttpResponse = resolve(request.path_info).func(request)
        return response
