"""Which stack a command acts on: named in its first line, and each part that is down named before anything is done."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from urllib.parse import urlsplit

from django.conf import settings
from django.db import connection

from cruddur.net import is_loopback
from cruddur.problem import Problem
from cruddur.value_formats import aws_labels

SECONDS_TO_CONNECT = 3.0
SECONDS_TO_ANSWER = 5.0
"""Seconds after which a part that accepts a connection and does not answer counts as down."""
DEFAULT_PORTS = {"http": 80, "https": 443, "postgres": 5432}
MAKE_RUN = "start the local stack with `make run`, or check"


class PartDown(Problem):
    """A part of the stack cannot be used; the argument names it, its address and its variable."""


@dataclass(frozen=True, slots=True)
class Part:
    """Something that a command stands on. A URL is None where nobody can tell by connecting: AWS's own, a socket."""

    name: str
    url: str | None
    variable: str

    def listens(self) -> bool:
        """Return whether a part on this machine takes connections; others are not asked."""
        if self.url is None or not is_loopback(self.url):
            return True
        try:
            self._connect(SECONDS_TO_CONNECT).close()
        except OSError:
            return False
        return True

    def require(self) -> None:
        """Raise PartDown unless the part answers within seconds."""
        if self.url is None:
            return
        shown = self.url.removeprefix("postgres://")
        try:
            self._connect(SECONDS_TO_CONNECT).close()
        except socket.gaierror as error:
            host = urlsplit(self.url).hostname
            raise PartDown(f"{self.name}: there is no host {host}. Put {self.variable} right.") from error
        except OSError as error:
            remedy = f"{MAKE_RUN} {self.variable}" if is_loopback(self.url) else f"check {self.variable}"
            raise PartDown(f"{self.name} does not answer at {shown}: {remedy}.") from error
        if self.url.startswith("http:"):
            self._ask()

    def _connect(self, seconds: float) -> socket.socket:
        parts = urlsplit(self.url or "")
        address = (parts.hostname or "localhost", parts.port or DEFAULT_PORTS.get(parts.scheme, 80))
        return socket.create_connection(address, timeout=seconds)

    def _ask(self) -> None:
        parts = urlsplit(self.url or "")
        caller = HTTPConnection(parts.hostname or "localhost", parts.port, timeout=SECONDS_TO_ANSWER)
        try:
            caller.request("GET", "/")
            caller.getresponse()
        except TimeoutError as error:
            raise PartDown(
                f"{self.name} takes connections at {self.url} and says nothing: restart it, or check {self.variable}."
            ) from error
        except (HTTPException, OSError) as error:
            raise PartDown(
                f"What answers at {self.url} is not {self.name}: put {self.variable} right, or stop what is there."
            ) from error
        finally:
            caller.close()


def dynamodb() -> Part:
    """Return DynamoDB or its emulator, as the settings name it."""
    return Part("DynamoDB", _emulator(settings.DYNAMODB_ENDPOINT_URL), _variable("AWS_ENDPOINT_URL_DYNAMODB"))


def cognito() -> Part:
    """Return Cognito or its emulator."""
    variable = _variable("AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER")
    return Part("Cognito", _emulator(settings.COGNITO_ENDPOINT_URL), variable)


def postgres() -> Part:
    """Return the server of the database; libpq finds one of several servers, or one on a socket, by itself."""
    host, port = connection.settings_dict["HOST"], connection.settings_dict["PORT"]
    if not host or host.startswith("/") or "," in host:
        return Part("Postgres", None, "DATABASE_URL")
    bracketed = f"[{host}]" if ":" in host else host
    return Part("Postgres", f"postgres://{bracketed}:{port or DEFAULT_PORTS['postgres']}", "DATABASE_URL")


PartOf = Callable[[], Part]


def _emulator(url: str | None) -> str | None:
    # AWS's own answers for itself, and the credentials, the region and the network have sentences of theirs.
    return None if url is None or aws_labels(url) else url


def _variable(own: str) -> str:
    return own if os.environ.get(own) or not os.environ.get("AWS_ENDPOINT_URL") else "AWS_ENDPOINT_URL"


def describe_target() -> str:
    """Return the DynamoDB endpoint and table and the database; says which part on this machine does not answer."""
    return f"{describe_dynamodb()}, table {settings.DDB_MESSAGE_TABLE}; {describe_database()}"


def describe_cognito_stack() -> str:
    """Return the Cognito endpoint and user pool and the database; says which part on this machine does not answer."""
    endpoint = settings.COGNITO_ENDPOINT_URL or aws_endpoint("cognito-idp")
    pool = settings.COGNITO_USER_POOL_ID or "(none)"
    return f"Cognito {endpoint}{_state(cognito())}, pool {pool}; {describe_database()}"


def describe_dynamodb() -> str:
    """Return the DynamoDB endpoint."""
    return f"DynamoDB {settings.DYNAMODB_ENDPOINT_URL or aws_endpoint('dynamodb')}{_state(dynamodb())}"


def describe_database() -> str:
    """Return the database by name and server, never its password."""
    values = connection.settings_dict
    server = values["HOST"] or "a local socket"
    port = f":{values['PORT']}" if values["PORT"] else ""
    return f"database {values['NAME']} on {server}{port}{_state(postgres())}"


def _state(part: Part) -> str:
    return "" if part.listens() else " (not running)"


def aws_endpoint(service: str) -> str:
    return f"https://{service}.{settings.AWS_REGION}.amazonaws.com"
