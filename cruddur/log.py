"""Logs without secrets: what a query holds (a code from Cognito, a search) is nobody's business."""

from __future__ import annotations

import logging


class WithoutQuery(logging.Filter):
    """Cuts the query off the path in uvicorn's access log."""

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, tuple):
            record.args = tuple(each.partition("?")[0] if isinstance(each, str) else each for each in record.args)
        return True
