"""The network that a request comes from."""

from __future__ import annotations

import logging
import re
from functools import cache
from ipaddress import IPv4Address, IPv6Address, ip_address

from django.conf import settings
from django.http import HttpRequest
from django.utils import timezone

from .rate_limits import LIMITS, take

logger = logging.getLogger(__name__)

UNKNOWN = "unknown"
WITH_PORT = re.compile(r"(?P<v4>[\d.]{7,15}):\d{1,5}|\[(?P<v6>[\da-fA-F:.]{2,45})\](?::\d{1,5})?", re.ASCII)


def client_network(request: HttpRequest) -> str:
    """Return the client's IPv4 address, or the /64 network of its IPv6 address: providers give each customer a /64.

    Behind a proxy it is the last address in X-Forwarded-For, which the proxy itself has added. Without a proxy the
    header is not read, because clients can write anything into it. Return UNKNOWN for an invalid address, and log a
    warning.
    """
    source, entry = "the connection", request.META.get("REMOTE_ADDR", "")
    if settings.BEHIND_PROXY and (forwarded := request.headers.get("X-Forwarded-For")):
        source, entry = "X-Forwarded-For", forwarded.rpartition(",")[2].strip()
    known = address_in(entry)
    if known is None:
        warn_once(source)
        return UNKNOWN
    # By the number, as Python 3.11 cannot write out an address with a zone.
    return IPv6Address(int(known)).exploded[:19] if isinstance(known, IPv6Address) else str(known)


def address_in(entry: str) -> IPv4Address | IPv6Address | None:
    """Parse an address with or without a port; None if it is malformed. IPv4 mapped to IPv6 is returned as IPv4."""
    if match := WITH_PORT.fullmatch(entry):
        entry = match["v4"] or match["v6"]
    try:
        known = ip_address(entry)
    except ValueError:
        return None
    return known.ipv4_mapped or known if isinstance(known, IPv6Address) else known


@cache
def warn_once(source: str) -> None:
    """Log once in each process that sign-ins are not limited by address."""
    logger.warning(
        "%s has no valid client address: sign-ins are not limited by address. Let the proxy append the "
        "client's address to X-Forwarded-For.",
        source,
    )


def take_for_network(name: str, request: HttpRequest) -> None:
    """Take a token of this limit for where the request comes from. Raises RateLimited.

    Takes nothing if the address is unknown: all such clients would share one bucket, and anyone could empty it.
    """
    if (network := client_network(request)) != UNKNOWN:
        take(LIMITS[name], who=network, now=timezone.now())
