from django.apps import AppConfig


class CruddurConfig(AppConfig):
    """The project itself: registers the checks of its settings."""

    name = "cruddur"

    def ready(self) -> None:
        from . import checks  # noqa: F401, PLC0415 - registering needs the app registry
