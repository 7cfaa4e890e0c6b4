"""This machine's own addresses: what requests to them are signed with, and that they never go through a proxy.

Imports no Django.
"""

import os
from typing import TypedDict
from urllib.parse import urlsplit

LOOPBACK_HOSTS = frozenset(("localhost", "127.0.0.1", "::1"))
KEY_ID_VARIABLE = "LOCAL_AWS_ACCESS_KEY_ID"
SECRET_VARIABLE = "LOCAL_AWS_SECRET_ACCESS_KEY"  # noqa: S105 - the name of a variable
NO_PROXY_VARIABLES = ("no_proxy", "NO_PROXY")
NO_KEY = "cruddurlocal"
"""For emulators that take any key. Letters and digits, as DynamoDB Local wants it."""


def is_loopback(url: str | None) -> bool:
    """Return whether the URL's host is this machine; False for none."""
    return urlsplit(url or "").hostname in LOOPBACK_HOSTS


def bypass_proxies() -> None:
    """Name loopback in `no_proxy` where the environment names proxies, for this process and its children.

    Companies set `http_proxy` and leave `no_proxy` out; a proxy cannot reach this machine's loopback. urllib, requests,
    botocore and OpenTelemetry's exporters all go by these variables.
    """
    if not any(name.lower().endswith("_proxy") for name in os.environ):
        return
    named = next((os.environ[name] for name in NO_PROXY_VARIABLES if os.environ.get(name)), "")
    hosts = [host for host in (each.strip() for each in named.split(",")) if host]
    if "*" not in hosts:
        hosts += sorted(LOOPBACK_HOSTS.difference(hosts))
    os.environ.update(dict.fromkeys(NO_PROXY_VARIABLES, ",".join(hosts)))


class Credentials(TypedDict, total=False):
    """Arguments of a boto3 session or client."""

    aws_access_key_id: str
    aws_secret_access_key: str


def loopback_credentials(endpoint_url: str | None) -> Credentials:
    """Return a boto3 session's arguments: the local stack's key on loopback, elsewhere nothing: AWS's chain applies.

    A loopback endpoint is never shown real credentials: these variables are not names that AWS's tools know.
    """
    if not is_loopback(endpoint_url):
        return {}
    return {
        "aws_access_key_id": os.environ.get(KEY_ID_VARIABLE) or NO_KEY,
        "aws_secret_access_key": os.environ.get(SECRET_VARIABLE) or NO_KEY,
    }
