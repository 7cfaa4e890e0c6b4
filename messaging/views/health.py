"""Health checks for load balancers and operators, for any host and over http: see `HealthMiddleware`."""

from __future__ import annotations

from http import HTTPStatus

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from messaging.operations.readiness import readiness


@never_cache
@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """Report that the process is alive, without checking anything else."""
    return JsonResponse({"status": "ok", "version": settings.VERSION})


@never_cache
@require_safe
def readyz(request: HttpRequest) -> HttpResponse:
    """Report whether Postgres, DynamoDB and the bus answer this process: 503 when one does not."""
    seen = readiness.look()
    is_ready = all(each.is_ready for each in seen.values())
    parts = {
        name: {"state": each.state, "ms": each.milliseconds, **({"reason": each.reason} if each.reason else {})}
        for name, each in seen.items()
    }
    return JsonResponse(
        {"status": "ready" if is_ready else "not ready", "version": settings.VERSION, "parts": parts},
        status=HTTPStatus.OK if is_ready else HTTPStatus.SERVICE_UNAVAILABLE,
    )
