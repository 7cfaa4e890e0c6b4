"""This machine's own addresses, and the key that requests to its emulators are signed with. Imports no Django."""

import os
from typing import TypedDict
from urllib.parse import urlsplit

LOOPBACK_HOSTS = frozenset(("localhost", "127.0.0.1", "::1"))
KEY_ID_VARIABLE = "LOCAL_AWS_ACCESS_KEY_ID"
SECRET_VARIABLE = "LOCAL_AWS_SECRET_ACCESS_KEY"  # noqa: S105 - the name of a variable
NO_KEY = "cruddurlocal"
"""For emulators that take any key. Letters and digits, as DynamoDB Local wants it."""


def is_loopback(url: str | None) -> bool:
    """Whether the URL's host is this machine; False for none."""
    return urlsplit(url or "").hostname in LOOPBACK_HOSTS


class Credentials(TypedDict, total=False):
    """Arguments of a boto3 session or client."""

    aws_access_key_id: str
    aws_secret_access_key: str


def loopback_credentials(endpoint_url: str | None) -> Credentials:
    """Return a boto3 session's arguments: the local stack's key on loopback, elsewhere nothing: AWS's chain applies.

    A loopback endpoint is never shown real credentials: these variables are no names that AWS's tools know.
    """
    if not is_loopback(endpoint_url):
        return {}
    return {
        "aws_access_key_id": os.environ.get(KEY_ID_VARIABLE) or NO_KEY,
        "aws_secret_access_key": os.environ.get(SECRET_VARIABLE) or NO_KEY,
    }
