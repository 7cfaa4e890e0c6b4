"""A web process for tests with streams."""

from __future__ import annotations

from tests.messaging.conftest import site

__all__ = ["site"]
