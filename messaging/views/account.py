"""One's own account: taking one's data along, and deleting it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator
from dataclasses import astuple
from itertools import chain

from asgiref.sync import sync_to_async
from django.conf import settings
from django.contrib import auth
from django.contrib.auth.decorators import login_required
from django.db import connection
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from messaging.actions import delete_account as delete_account_actions
from messaging.dynamodb.client import Unavailable
from messaging.dynamodb.connection import message_table
from messaging.queries import export_data as export_data_queries
from messaging.queries.export_data import Pause
from users.authenticated import AuthenticatedHttpRequest
from users.cognito.oidc import cognito_sign_out_url, is_configured
from users.models import User
from users.redirects import HttpResponseSeeOther

logger = logging.getLogger(__name__)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def export_data(request: AuthenticatedHttpRequest) -> HttpResponse | StreamingHttpResponse:
    if request.method != "POST":
        return render(request, "messaging/export_data.html", {})
    now = timezone.now()
    person = User.objects.get(pk=request.user.pk)
    pieces = export_data_queries.document(person=person, table=message_table(), now=now)
    # Until DynamoDB has answered nothing is said, so that the status is true.
    first = next(pieces)
    if isinstance(first, Pause):
        raise Unavailable
    logger.info("%s exports their data", person.uuid)
    response = StreamingHttpResponse(streamed(chain([first], pieces)), content_type="application/json; charset=utf-8")
    name = f"cruddur-{person.handle}-{now:%Y-%m-%d}.json"
    response["Content-Disposition"] = content_disposition_header(as_attachment=True, filename=name)
    response["Cache-Control"] = "no-store"
    response["X-Accel-Buffering"] = "no"
    # Django's middleware would make each piece a gzip file of its own, of which Chromium keeps the first.
    response["Content-Encoding"] = "identity"
    return response


async def streamed(pieces: Iterator[str | Pause]) -> AsyncIterator[bytes]:
    """The document, each piece made in a thread when the one before is gone: between them no connection is held."""
    # The one of the view, which Django would keep until the answer ends.
    await sync_to_async(_let_go)()
    while (piece := await asyncio.to_thread(_next, pieces)) is not None:
        if isinstance(piece, Pause):
            await asyncio.sleep(piece.seconds)
        else:
            yield piece.encode()


def _let_go() -> None:
    # `connection` is another one in each thread: it is looked up in the one that calls this.
    connection.close()


def _next(pieces: Iterator[str | Pause]) -> str | Pause | None:
    try:
        return next(pieces, None)
    finally:
        _let_go()


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def delete_account(request: AuthenticatedHttpRequest) -> HttpResponse:
    typed = request.POST.get("handle", "").strip()
    if request.method != "POST":
        return render(request, "messaging/delete_account.html", {})
    if typed.removeprefix("@").casefold() != request.user.handle.casefold():
        error = _("This is not your handle. Nothing was deleted.")
        return render(request, "messaging/delete_account.html", {"typed": typed, "error": error}, status=422)
    delete_account_actions.ask(user_uuid=request.user.uuid, now=timezone.now())
    auth.logout(request)
    response = HttpResponseSeeOther(reverse("account_deleted"))
    # Pages, drafts and what waits to be sent. Not "cookies": that clears those of every site under the same domain.
    response["Clear-Site-Data"] = '"cache", "storage"'
    for name in astuple(settings.COOKIES):
        response.delete_cookie(name, samesite="Lax")
    return response


@never_cache
@require_safe
def account_deleted(request: HttpRequest) -> HttpResponse:
    # Cognito's page remembers who was signed in, too.
    next_url = cognito_sign_out_url(request) if is_configured() else reverse("landing")
    return render(request, "messaging/account_deleted.html", {"next_url": next_url})
