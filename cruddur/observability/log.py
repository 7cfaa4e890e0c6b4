"""Logs without secrets: what a query holds (a code from Cognito, a search) is nobody's business."""

from __future__ import annotations

import json
import logging
import traceback
from datetime import UTC, datetime
from http import HTTPStatus

from .request_context import current_request_id

HEALTH_PATHS = ("/healthz", "/readyz")


class WithoutQuery(logging.Filter):
    """Cuts the query off the path in uvicorn's access log."""

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, tuple):
            record.args = tuple(each.partition("?")[0] if isinstance(each, str) else each for each in record.args)
        return True


class WithoutHealthChecks(logging.Filter):
    """Leaves out of uvicorn's access log what load balancers ask every few seconds, as long as the answer is 200."""

    def filter(self, record: logging.LogRecord) -> bool:
        match record.args:
            case (_, _, str(path), _, HTTPStatus.OK):
                return path.partition("?")[0] not in HEALTH_PATHS
        return True


class WithRequestId(logging.Filter):
    """Notes on a record during which request it was written; `-` for none."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.request_id = current_request_id()
        return True


class JsonLines(logging.Formatter):
    """One JSON object a line, of these fields alone.

    Nothing else that a record carries is written: Django's own hold the request, and with it the query. Of an error
    its type and where it was, but not its text, which may quote what somebody wrote or a row of the database.
    """

    def format(self, record: logging.LogRecord) -> str:
        fields: dict[str, object] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            "request_id": getattr(record, "request_id", "-"),
            "process": record.process,
        }
        if record.exc_info and (error := record.exc_info[1]):
            fields["error"] = [type(each).__name__ for each in _chain(error)]
            fields["trace"] = [
                f"{frame.filename}:{frame.lineno} {frame.name}" for frame in traceback.extract_tb(error.__traceback__)
            ]
        return json.dumps(fields, ensure_ascii=False)


def _chain(error: BaseException | None) -> list[BaseException]:
    """Return the error and those that it came from."""
    found: list[BaseException] = []
    while error is not None and error not in found:
        found.append(error)
        error = error.__cause__ or error.__context__
    return found
