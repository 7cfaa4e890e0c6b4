"""Preferences of one browser, in cookies, so that the server renders each page with them."""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings
from django.http import HttpRequest, HttpResponse

THEMES = ("dark", "light")
OFF = "off"
YEAR = 365 * 24 * 3600  # seconds


@dataclass(frozen=True, slots=True)
class Preferences:
    """The preferences of one browser."""

    theme: str = ""
    """`dark` or `light`; empty to follow the system."""
    single_keys: bool = True
    """Whether single-key shortcuts work; speech input and tremors may require turning them off (WCAG 2.1.4)."""


def preferences_of(request: HttpRequest) -> Preferences:
    """Return the chosen preferences; an unknown theme falls back to the system's."""
    theme = request.COOKIES.get(settings.COOKIES.theme, "")
    single_keys = request.COOKIES.get(settings.COOKIES.keys) != OFF
    return Preferences(theme=theme if theme in THEMES else "", single_keys=single_keys)


def remember(response: HttpResponse, preferences: Preferences) -> None:
    """Store the preferences in cookies for a year; defaults delete the cookie."""
    names = settings.COOKIES
    for name, value in ((names.theme, preferences.theme), (names.keys, "" if preferences.single_keys else OFF)):
        if value:
            response.set_cookie(name, value, max_age=YEAR, secure=settings.SECURE, httponly=True, samesite="Lax")
        else:
            response.delete_cookie(name, samesite="Lax")


def preferences(request: HttpRequest) -> dict[str, Preferences]:
    """Return `preferences` for templates (a context processor)."""
    return {"preferences": preferences_of(request)}
