"""Django's `clearsessions`, which is in the app that `users.sessions` replaces."""

from django.contrib.sessions.management.commands import clearsessions


class Command(clearsessions.Command):
    """Delete expired sessions. The web processes do it every hour: `cruddur/postgres/housekeeping.py`."""
