"""Turns the export of metrics and traces on and off, where TELEMETRY configures it."""

from __future__ import annotations

from django.conf import settings


def start(service: str) -> None:
    """Send metrics and traces of this process, under the name of the service; nothing unless TELEMETRY says so.

    Call it before Django loads its middleware, where there is any.
    """
    if settings.TELEMETRY:
        from . import telemetry  # noqa: PLC0415 - 9 MB that a process without it does not need

        telemetry.start(service)


def stop() -> None:
    """Send what was not sent yet, in two seconds at most: a signal ends a process without its last words."""
    if settings.TELEMETRY:
        from . import telemetry  # noqa: PLC0415

        telemetry.stop()
