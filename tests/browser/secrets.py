"""The secrets that browser tests use, and a check that none of them is logged."""

from __future__ import annotations

import json
import logging
import re
from types import TracebackType
from typing import Self
from urllib.parse import parse_qs, urlsplit

from django.conf import settings
from playwright.sync_api import BrowserContext, Request

from cruddur.observability.log import JsonLines

FIELDS = {"message", "csrfmiddlewaretoken", "password", "bio", "display_name", "details"}
PARAMETERS = {"code", "state", "nonce", "q"}
SHORTEST = 8
"""Characters; a shorter text may be in a line by chance."""
E_MAIL = re.compile(r"[\w.+-]+@[\w-]+\.\w+")


class Secrets:
    """Collects them from requests and cookies."""

    def __init__(self) -> None:
        self.noted: set[str] = set()

    def note_request(self, request: Request) -> None:
        queries = [(parse_qs(urlsplit(request.url).query), PARAMETERS)]
        body = request.post_data_buffer
        if body:
            queries.append((parse_qs(body.decode(errors="replace")), FIELDS))
        for found, names in queries:
            self.noted |= {value for name in names & found.keys() for value in found[name]}
        if token := request.headers.get("x-csrftoken"):
            self.noted.add(token)

    def note_cookies(self, context: BrowserContext) -> None:
        names = (settings.SESSION_COOKIE_NAME, settings.CSRF_COOKIE_NAME)
        self.noted |= {each.get("value", "") for each in context.cookies() if each.get("name") in names}

    def found_in(self, log: str) -> list[str]:
        """Return the secrets that the log holds, raw or as JSON escapes them, and every e-mail address in it."""
        long = {each for each in self.noted if len(each.strip()) >= SHORTEST}
        there = {each for each in long if each in log or json.dumps(each, ensure_ascii=False)[1:-1] in log}
        return sorted(there | set(E_MAIL.findall(log)))


class LogCapture(logging.Handler):
    """Every line that is logged while the block runs, as a terminal and as production would have it."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []
        self._formatters = (logging.Formatter("%(asctime)s %(levelname)s %(name)s %(message)s"), JsonLines())
        self._loggers = [logging.getLogger(), logging.getLogger("uvicorn.access")]

    def emit(self, record: logging.LogRecord) -> None:
        if record.name == "django.security.DisallowedHost":
            return  # no browser's doing: another test of this process names hosts that look like addresses of people
        self.lines += [formatter.format(record) for formatter in self._formatters]

    def __enter__(self) -> Self:
        for logger in self._loggers:
            logger.addHandler(self)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for logger in self._loggers:
            logger.removeHandler(self)
