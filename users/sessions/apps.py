from django.apps import AppConfig


class SessionsConfig(AppConfig):
    """Replaces `django.contrib.sessions`: the same label, table and first migration, so old sessions stay valid."""

    name = "users.sessions"
    label = "sessions"
    verbose_name = "Sessions"

    def ready(self) -> None:
        from cruddur.postgres import housekeeping  # noqa: PLC0415 - models are loaded by now

        from .models import Session  # noqa: PLC0415

        housekeeping.delete_expired(Session, key="session_key", until="expire_date")
