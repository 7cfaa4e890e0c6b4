"""What load balancers and operators ask a process. For any host, over http too: see `HealthMiddleware`."""

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
    """Whether the process is alive; asks nothing else."""
    return JsonResponse({"status": "ok", "version": settings.VERSION})


@never_cache
@require_safe
def readyz(request: HttpRequest) -> HttpResponse:
    """Whether Postgres, DynamoDB and the bus answer this process: 503 when one does not."""
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
