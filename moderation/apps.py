from django.apps import AppConfig


class ModerationConfig(AppConfig):
    name = "moderation"
    verbose_name = "Moderation"

    def ready(self) -> None:
        from messaging import personal_data as of_messaging  # noqa: PLC0415 - models are loaded by now

        from . import personal_data  # noqa: PLC0415

        of_messaging.also("reports", personal_data.reports_of)
        of_messaging.also("warnings", personal_data.notices_of)
