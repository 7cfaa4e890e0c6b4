"""The bus: what one process publishes, every process hears. Two backends behind one protocol.

Nothing may depend on it: payloads get lost while it is away, and pages compare themselves with the table instead.
"""

from __future__ import annotations

from django.conf import settings

from .protocol import Bus, BusUnavailable

__all__ = ["Bus", "BusUnavailable", "bus"]


def bus() -> Bus:
    """Return the bus that the settings name: Redis or Valkey with REDIS_URL, else Postgres."""
    if settings.REDIS_URL:
        from .redis import redis_bus  # noqa: PLC0415 - only those who use it need it

        return redis_bus(settings.REDIS_URL)
    from .postgres import PostgresBus  # noqa: PLC0415

    return PostgresBus()
