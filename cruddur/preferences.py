"""What a person chose for this browser: in cookies, so that the server draws the page as chosen, without a flash."""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings
from django.http import HttpRequest, HttpResponse

THEME_COOKIE = "theme"
KEYS_COOKIE = "keys"
THEMES = ("dark", "light")
OFF = "off"
YEAR = 365 * 24 * 3600  # seconds


@dataclass(frozen=True, slots=True)
class Preferences:
    """The choices for one browser."""

    theme: str = ""
    """`dark` or `light`; empty for the system's."""
    single_keys: bool = True
    """Whether shortcuts of a single key work; who dictates or trembles may need them off (WCAG 2.1.4)."""


def preferences_of(request: HttpRequest) -> Preferences:
    """The choices that the browser's cookies tell; unknown values count as none."""
    theme = request.COOKIES.get(THEME_COOKIE, "")
    return Preferences(theme=theme if theme in THEMES else "", single_keys=request.COOKIES.get(KEYS_COOKIE) != OFF)


def remember(response: HttpResponse, preferences: Preferences) -> None:
    """Keep the choices in this browser for a year; a default is no cookie."""
    for name, value in ((THEME_COOKIE, preferences.theme), (KEYS_COOKIE, "" if preferences.single_keys else OFF)):
        if value:
            response.set_cookie(name, value, max_age=YEAR, secure=settings.SECURE, httponly=True, samesite="Lax")
        else:
            response.delete_cookie(name, samesite="Lax")


def preferences(request: HttpRequest) -> dict[str, Preferences]:
    """For templates, as `preferences`."""
    return {"preferences": preferences_of(request)}
