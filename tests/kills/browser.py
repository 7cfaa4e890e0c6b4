"""A person's browser, as far as it posts forms: signed in by a session that is in the database."""

from __future__ import annotations

import http.client
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.test import Client

from users.models import User

from .births import DIE_AT
from .processes import Process

CSRF_TOKEN = "k" * 32
SECONDS_TO_ANSWER = 60
"""Far more than it takes."""


@dataclass(slots=True)
class Browser:
    """One person's."""

    user: User
    session: str

    @classmethod
    def signed_in(cls, user: User) -> Browser:
        client = Client()
        client.force_login(user)
        return cls(user, client.cookies[settings.SESSION_COOKIE_NAME].value)

    def post(
        self, server: Process, path: str, form: Mapping[str, str], *, die_at: int | None = None
    ) -> tuple[int, Any] | None:
        """Post a form as a script does: the answer's status and what its body says, or None when there is none.

        `die_at`: at which moment of this request the web server dies.
        """
        cookies = {settings.SESSION_COOKIE_NAME: self.session, settings.CSRF_COOKIE_NAME: CSRF_TOKEN}
        headers = {
            "Accept": "application/json",
            "Content-Type": "application/x-www-form-urlencoded",
            "Cookie": "; ".join(f"{name}={value}" for name, value in cookies.items()),
            "X-CSRFToken": CSRF_TOKEN,
        }
        if die_at is not None:
            headers[DIE_AT.decode()] = str(die_at)
        connection = http.client.HTTPConnection("localhost", server.port, timeout=SECONDS_TO_ANSWER)
        try:
            connection.request("POST", path, urlencode(form), headers)
            response = connection.getresponse()
            body = response.read()
        except (http.client.HTTPException, ConnectionError):
            return None
        finally:
            connection.close()
        return response.status, json.loads(body) if body else None
