"""The names of all cookies.

Browsers share cookies between all ports of a host, so on http the port is part of each name: two stacks on one machine
would otherwise sign each other out. On https the `__Host-` prefix makes browsers accept session and CSRF cookies only
from this very host. Does not import Django, because measurements and tests send cookies as well.
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

HTTP_PORT = 80


@dataclass(frozen=True, slots=True)
class CookieNames:
    """What each cookie is called."""

    session: str
    csrf: str
    language: str
    messages: str
    """Of Django's one-time messages."""
    theme: str
    keys: str
    timezone: str
    """Set by static/js/page/timezone.js, which makes its name by the same rule."""


def cookie_names(app_url: str) -> CookieNames:
    """Return the names for a site at this origin."""
    parts = urlsplit(app_url)
    if parts.scheme == "https":
        session, csrf, port = "__Host-session", "__Host-csrf", ""
    else:
        port = f"-{parts.port or HTTP_PORT}"
        session, csrf = f"sessionid{port}", f"csrftoken{port}"
    return CookieNames(
        session=session,
        csrf=csrf,
        language=f"django_language{port}",
        messages=f"messages{port}",
        theme=f"theme{port}",
        keys=f"keys{port}",
        timezone=f"timezone{port}",
    )
