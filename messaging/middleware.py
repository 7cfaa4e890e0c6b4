"""Error responses for exceptions of views, and health checks for load balancers."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.urls import resolve

from cruddur.observability.log import HEALTH_PATHS
from cruddur.web.middleware import GetResponse

from .views.error_responses import error_response


class ErrorResponseMiddleware:
    """Answer an exception that a view did not catch with its row of `views.error_responses`."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        return error_response(request, exception)


class HealthMiddleware:
    """Answer `/healthz` and `/readyz` before sessions and the check of the host.

    A load balancer asks each process by its address, which ALLOWED_HOSTS cannot list.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path_info not in HEALTH_PATHS:
            return self.get_response(request)
        response: HttpResponse = resolve(request.path_info).func(request)
        return response
