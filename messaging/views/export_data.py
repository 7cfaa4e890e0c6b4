"""Download one's own data as JSON."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator
from itertools import chain

from asgiref.sync import sync_to_async
from django.contrib.auth.decorators import login_required
from django.db import connection
from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_http_methods

from messaging.dynamodb.client import Unavailable
from messaging.dynamodb.connection import message_table
from messaging.queries import export_data as export_data_queries
from messaging.queries.export_data import Pause
from users.http import AuthenticatedHttpRequest
from users.models import User

logger = logging.getLogger(__name__)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def export_data(request: AuthenticatedHttpRequest) -> HttpResponse | StreamingHttpResponse:
    """Explain the export, or stream it. Raise Unavailable."""
    if request.method != "POST":
        return render(request, "messaging/export_data.html", {})
    now = timezone.now()
    person = User.objects.get(pk=request.user.pk)
    parts = export_data_queries.document(person=person, table=message_table(), now=now)
    # Wait for DynamoDB's first answer, which decides the status.
    first = next(parts)
    if isinstance(first, Pause):
        raise Unavailable
    logger.info("%s exports their data", person.uuid)
    response = StreamingHttpResponse(
        stream_document(chain([first], parts)), content_type="application/json; charset=utf-8"
    )
    name = f"cruddur-{person.handle}-{now:%Y-%m-%d}.json"
    response["Content-Disposition"] = content_disposition_header(as_attachment=True, filename=name)
    response["Cache-Control"] = "no-store"
    response["X-Accel-Buffering"] = "no"
    # Django's middleware would compress each part as a gzip file of its own, of which Chromium keeps only the first.
    response["Content-Encoding"] = "identity"
    return response


async def stream_document(parts: Iterator[str | Pause]) -> AsyncIterator[bytes]:
    """Yield the document, each part read in a thread once the one before is sent; hold no connection between parts."""
    # Django would keep the view's connection until the response ends.
    await sync_to_async(_close_connection)()
    while (part := await asyncio.to_thread(_next, parts)) is not None:
        if isinstance(part, Pause):
            await asyncio.sleep(part.seconds)
        else:
            yield part.encode()


def _close_connection() -> None:
    # Each thread has its own `connection`: this one closes that of the calling thread.
    connection.close()


def _next(parts: Iterator[str | Pause]) -> str | Pause | None:
    try:
        return next(parts, None)
    finally:
        _close_connection()
