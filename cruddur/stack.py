"""Which stack a command acts on: named in its first line, so that nobody changes the wrong one."""

from __future__ import annotations

import socket
from collections.abc import Iterable
from urllib.parse import urlsplit

from django.conf import settings
from django.db import connection

from .loopback import is_loopback

SECONDS_TO_ANSWER = 0.3
DEFAULT_PORTS = {"http": 80, "https": 443, "postgres": 5432}


def describe_stack() -> str:
    """The DynamoDB endpoint and table and the database; says so when the local stack does not answer."""
    endpoint = settings.DYNAMODB_ENDPOINT_URL or aws_endpoint("dynamodb")
    return described(f"DynamoDB {endpoint}, table {settings.DDB_MESSAGE_TABLE}", endpoint)


def describe_cognito_stack() -> str:
    """The Cognito endpoint and user pool and the database; says so when the local stack does not answer."""
    endpoint = settings.COGNITO_ENDPOINT_URL or aws_endpoint("cognito-idp")
    return described(f"Cognito {endpoint}, pool {settings.COGNITO_USER_POOL_ID or '(none)'}", endpoint)


def describe_database() -> str:
    """The database by name and server, never its password."""
    values = connection.settings_dict
    server = values["HOST"] or "a local socket"
    return f"database {values['NAME']} on {server}" + (f":{values['PORT']}" if values["PORT"] else "")


def described(service: str, endpoint: str) -> str:
    line = f"{service}; {describe_database()}"
    values = connection.settings_dict
    database = f"postgres://{values['HOST'] or 'localhost'}:{values['PORT'] or DEFAULT_PORTS['postgres']}"
    silent = silent_endpoints([endpoint, database])
    return f"{line} (not running: start the local stack with `make run`)" if silent else line


def aws_endpoint(service: str) -> str:
    return f"https://{service}.{settings.AWS_REGION}.amazonaws.com"


def silent_endpoints(urls: Iterable[str]) -> list[str]:
    """Those on this machine that nobody listens at; others are not asked."""
    return [url for url in urls if is_loopback(url) and not answers(url)]


def answers(url: str) -> bool:
    parts = urlsplit(url)
    address = (parts.hostname or "localhost", parts.port or DEFAULT_PORTS.get(parts.scheme, 80))
    try:
        with socket.create_connection(address, timeout=SECONDS_TO_ANSWER):
            return True
    except OSError:
        return False
