"""A person on the site, without a browser. Uses addresses and forms only, so that it also works on old releases."""

from __future__ import annotations

import re
import time
import uuid
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any

import requests

from tests.cognito_page import submit
from tests.html import parse, words

PASSWORD = "Cruddur123!"
SECONDS_TO_APPEAR = 30
"""How long to wait for what the stream consumer does."""


class Visitor:
    """One person with a cookie jar of their own."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.session = requests.Session()
        self.session.trust_env = False

    def sign_in(self, handle: str) -> Visitor:
        """Sign in through the emulator's page and return self. The person's messages are the next page."""
        front = self.session.get(f"{self.url}/", timeout=30)
        page = self.session.get(submit(self.session, front).headers["Location"], timeout=30)
        back = submit(self.session, page, username=f"{handle}@cruddur.example", password=PASSWORD)
        messages = self.session.get(back.headers["Location"], timeout=30)
        assert messages.url == f"{self.url}/messages", messages.url
        return self

    def get(self, path: str) -> requests.Response:
        return self.session.get(f"{self.url}{path}", timeout=30)

    def page(self, path: str) -> str:
        """Return the HTML of a page that must exist."""
        answer = self.get(path)
        assert answer.status_code == HTTPStatus.OK, f"{path}: {answer.status_code}"
        return answer.text

    def text(self, path: str) -> str:
        """Return the words of a page."""
        return words(parse(self.page(path)))

    def rows(self, path: str = "/messages") -> dict[str, str]:
        """Return the words of each row of a list of conversations, by the conversation's uuid, in the list's order."""
        rows = parse(self.page(path)).iterfind(".//li[@data-group]")
        return {row.get("data-group", ""): words(row) for row in rows}

    def unread(self, path: str = "/messages") -> dict[str, int]:
        """Return the number of unread messages in each conversation of a list."""
        counts = {group: re.search(r", (\d+) unread", row) for group, row in self.rows(path).items()}
        return {group: int(count[1]) if count else 0 for group, count in counts.items()}

    def uuid(self) -> str:
        """Return the person's uuid; fails when nobody is signed in."""
        return str(self.get("/messages/token").json()["user"])

    def post(self, path: str, fields: Mapping[str, str] | None = None) -> None:
        """Post a form that must succeed: the answer is a redirect."""
        answer = self._post(path, fields or {}, accept="text/html")
        assert answer.is_redirect, f"{path}: {answer.status_code}"

    def try_to_send(self, path: str, text: str) -> requests.Response:
        """Post a message as the page's script does. `path` is a conversation's or that of a new one."""
        fields = {"message": text, "message_uuid": str(uuid.uuid4()), "after": ""}
        return self._post(path, fields, accept="application/json")

    def send(self, path: str, text: str) -> dict[str, Any]:
        """Send a message; return its `url`, which is the conversation's path, and its `created_at`."""
        answer = self.try_to_send(path, text)
        assert answer.status_code == HTTPStatus.CREATED, f"{path}: {answer.status_code} {answer.text}"
        stored: dict[str, Any] = answer.json()
        return stored

    def _post(self, path: str, fields: Mapping[str, str], *, accept: str) -> requests.Response:
        headers = {"Accept": accept, "X-CSRFToken": self._token(), "Origin": self.url}
        return self.session.post(
            f"{self.url}{path}", data=dict(fields), headers=headers, allow_redirects=False, timeout=30
        )

    def _token(self) -> str:
        if not any("csrftoken" in name for name, _ in self.session.cookies.items()):
            self.page("/settings")
        return next(str(value) for name, value in self.session.cookies.items() if "csrftoken" in name)


def eventually(condition: Callable[[], bool]) -> bool:
    """Wait until the condition holds; return whether it did in time."""
    deadline = time.monotonic() + SECONDS_TO_APPEAR
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.3)
    return True
