"""Django admin for moderators and administrators. Importing this registers what it shows."""

from . import audit_log, people, reports

__all__ = ["audit_log", "people", "reports"]
