"""Which addresses are this machine's own. Knows no Django, so that the doors can ask."""

from urllib.parse import urlsplit

LOOPBACK_HOSTS = frozenset(("localhost", "127.0.0.1", "::1"))


def is_loopback(url: str | None) -> bool:
    """Whether the URL's host is this machine; False for none."""
    return urlsplit(url or "").hostname in LOOPBACK_HOSTS
