"""Show in development what each response cost: in its Server-Timing header, and in a panel at the end of a page.

Installed by the setting DEBUG_PANEL.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils.formats import number_format
from django.utils.translation import gettext

from cruddur.web.middleware import GetResponse
from messaging.dynamodb.metering import total
from messaging.dynamodb.request_log import Call, collected, requested_keys

END = b"</body>"
EXACT_BELOW = 10
"""Fewer milliseconds than this are shown with a decimal."""


@dataclass(slots=True)
class Statements:
    """Counts and times the SQL statements of this thread's connection."""

    count: int = 0
    milliseconds: float = 0.0

    def __call__(self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        began = time.perf_counter()
        try:
            return execute(sql, params, many, context)
        finally:
            self.count += 1
            self.milliseconds += (time.perf_counter() - began) * 1000


class DebugPanelMiddleware:
    """Measure each response. It runs inside compression, and outside of sessions so that their statements count."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        statements, began = Statements(), time.perf_counter()
        with collected() as calls, connection.execute_wrapper(statements):
            response = self.get_response(request)
        milliseconds = (time.perf_counter() - began) * 1000
        response["Server-Timing"] = server_timing(calls, statements, milliseconds)
        if not response.streaming and response.get("Content-Type", "").startswith("text/html"):
            _add_panel(response, panel_context(calls, statements, milliseconds))
        return response


def server_timing(calls: Sequence[Call], statements: Statements, milliseconds: float) -> str:
    """Return the Server-Timing header: what SQL, DynamoDB and the whole response took, in milliseconds."""
    made = total(call.request for call in calls)
    dynamodb = ", ".join((f"{made.requests} calls", *units(made.read_units, made.write_units)))
    parts = {
        "sql": (f"{statements.count} statements", statements.milliseconds),
        "dynamodb": (dynamodb, made.milliseconds),
        "all": ("the whole answer", milliseconds),
    }
    return ", ".join(f'{name};desc="{what}";dur={took:.1f}' for name, (what, took) in parts.items())


def units(read: float | None, write: float | None) -> tuple[str, ...]:
    """Return the units that were used, as in `0.5 RCU`, `4 WCU`."""
    both = ((read, "RCU"), (write, "WCU"))
    return tuple(f"{value:g} {name}" for value, name in both if value)


def panel_context(calls: Sequence[Call], statements: Statements, milliseconds: float) -> dict[str, Any]:
    """Return the context of the panel's template."""
    made = total(call.request for call in calls)
    return {
        "calls": [
            {
                "operation": call.request.operation,
                "index": call.parameters.get("IndexName", ""),
                "keys": list(requested_keys(call.parameters)),
                "units": ", ".join(units(call.request.read_units, call.request.write_units)),
                "items": call.request.items,
                "time": _time(call.request.milliseconds),
                "error": call.request.error,
            }
            for call in calls
        ],
        "dynamodb": [made.requests, *units(made.read_units, made.write_units), _time(made.milliseconds)],
        "sql": [statements.count, _time(statements.milliseconds)],
        "time": _time(milliseconds),
    }


def _time(milliseconds: float) -> str:
    return gettext("%(number)s ms") % {"number": number_format(milliseconds, 1 if milliseconds < EXACT_BELOW else 0)}


def _add_panel(response: HttpResponse, context: dict[str, Any]) -> None:
    page, end, after = response.content.rpartition(END)
    if end:
        response.content = page + render_to_string("messaging/_debug_panel.html", context).encode() + end + after
        if "Content-Length" in response:
            response["Content-Length"] = str(len(response.content))
