from django.apps import AppConfig


class MessagingConfig(AppConfig):
    """Conversations and messages."""

    name = "messaging"

    def ready(self) -> None:
        from users.sessions import listeners  # noqa: PLC0415 - models are loaded by now

        from .realtime import publish  # noqa: PLC0415

        listeners.on_session_ended(publish.session_ended)
        listeners.on_user_signed_out(publish.user_signed_out)
