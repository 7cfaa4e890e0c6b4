"""What a person chose for this browser: in cookies, so that the server draws the page as chosen, without a flash."""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings
from django.http import HttpRequest, HttpResponse

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
    theme = request.COOKIES.get(settings.COOKIES.theme, "")
    single_keys = request.COOKIES.get(settings.COOKIES.keys) != OFF
    return Preferences(theme=theme if theme in THEMES else "", single_keys=single_keys)


def remember(response: HttpResponse, preferences: Preferences) -> None:
    """Keep the choices in this browser for a year; a default is no cookie."""
    names = settings.COOKIES
    for name, value in ((names.theme, preferences.theme), (names.keys, "" if preferences.single_keys else OFF)):
        if value:
            response.set_cookie(name, value, max_age=YEAR, secure=settings.SECURE, httponly=True, samesite="Lax")
        else:
            response.delete_cookie(name, samesite="Lax")


def preferences(request: HttpRequest) -> dict[str, Preferences]:
    """For templates, as `preferences`."""
    return {"preferences": preferences_of(request)}
