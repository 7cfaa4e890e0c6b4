"""The bus: every process receives what any process publishes. Two backends implement one protocol.

Nothing may depend on delivery: payloads are lost during an outage, and pages then resync with the table.
"""

from __future__ import annotations

from django.conf import settings

from .protocol import Bus, BusUnavailable

__all__ = ["Bus", "BusUnavailable", "bus"]


def bus() -> Bus:
    """Return the bus from the settings: Redis or Valkey if REDIS_URL is set, else Postgres."""
    if settings.REDIS_URL:
        from .redis import redis_bus  # noqa: PLC0415 - imported only where it is used

        return redis_bus(settings.REDIS_URL)
    from .postgres import PostgresBus  # noqa: PLC0415

    return PostgresBus()
