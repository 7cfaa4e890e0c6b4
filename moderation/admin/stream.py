"""The state of stream and table: lag, dead letters, checkpoints, the active worker, items, size, capacity."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from cruddur.problem import Problem
from messaging.dynamodb.client import ServiceError, Unavailable, error_code
from messaging.dynamodb.connection import message_table, streams_client
from messaging.dynamodb.schema import stream_arn
from messaging.dynamodb.shards import StreamGone
from messaging.dynamodb.tables import find_table
from messaging.models import DeadLetter
from messaging.stream.dead_letters import replay as replay_letters
from messaging.stream.leader_lock import leader_session
from messaging.stream.status import saved_checkpoints, stream_status
from moderation import audit
from users.http import AuthenticatedHttpRequest
from users.permissions import administrates

LETTERS_SHOWN = 100
DOES_NOT_ANSWER = (Unavailable, ServiceError, Problem, StreamGone)


@require_safe
def stream(request: HttpRequest) -> HttpResponse:
    """Show what DynamoDB reports, or that it is away; show what Postgres knows in either case."""
    if not administrates(request.user):
        raise PermissionDenied
    name = message_table().name
    letters = DeadLetter.objects.order_by("created_at", "pk")
    context: dict[str, Any] = {
        **admin.site.each_context(request),
        "title": "Stream and table",
        "table_name": name,
        "dead_letters": letters[:LETTERS_SHOWN],
        "dead_letter_count": letters.count(),
        "worker": leader_session(name),
    }
    try:
        context |= {"table": find_table(message_table().client, name), "stream": stream_facts()}
    except DOES_NOT_ANSWER:
        context["unavailable"] = True
    status = HTTPStatus.SERVICE_UNAVAILABLE if context.get("unavailable") else HTTPStatus.OK
    return TemplateResponse(request, "admin/moderation/stream.html", context, status=status)


def stream_facts() -> dict[str, Any]:
    """Return the state of the stream. Raise one of DOES_NOT_ANSWER while DynamoDB is away.

    On AWS the web server's role may not read the stream (deploy/templates): then return what the worker has saved.
    """
    arn = stream_arn(message_table())
    saved = saved_checkpoints(arn)
    try:
        found = stream_status(streams_client(), arn, saved, now=timezone.now())
    except ServiceError as error:
        if error_code(error) != "AccessDeniedException":
            raise
        return {"arn": arn, "refused": True, "saved": saved}
    return {
        "arn": arn,
        "status": found.status,
        "lag": found.lag,
        "begins_anew": found.is_begun_anew,
        "shards": found.shards,
    }


@require_POST
def replay(request: AuthenticatedHttpRequest) -> HttpResponse:
    """Project the dead letters from the current state of their conversations."""
    if not administrates(request.user):
        raise PermissionDenied
    audit.record(actor=request.user, act="stream.replay")
    done = failed = 0
    try:
        for each in replay_letters(message_table()):
            done, failed = done + (not each.reason), failed + bool(each.reason)
    except Unavailable:
        messages.error(request, _("DynamoDB does not answer. What was done stays done: try again in a moment."))
    projected = ngettext("%(n)s dead letter was projected.", "%(n)s dead letters were projected.", done) % {"n": done}
    messages.success(request, projected)
    if failed:
        messages.warning(request, ngettext("%(n)s failed again.", "%(n)s failed again.", failed) % {"n": failed})
    return redirect("admin:stream")
