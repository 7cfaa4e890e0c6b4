from django.apps import AppConfig
from psycopg.sql import SQL

from cruddur.postgres.roles import restrict


class ModerationConfig(AppConfig):
    name = "moderation"
    verbose_name = "Moderation"

    def ready(self) -> None:
        # Triggers refuse the same (migration 0002), but the owner of a table can drop those.
        restrict("moderation_auditentry", SQL("SELECT, INSERT"))
        restrict("moderation_decision", SQL("SELECT, INSERT"))
        restrict("moderation_report", SQL("SELECT, INSERT, UPDATE (state, claimed_by_uuid, claimed_at)"))

        from messaging.queries import export_data as of_messaging  # noqa: PLC0415 - models are loaded by now

        from . import personal_data  # noqa: PLC0415

        of_messaging.also("reports", personal_data.reports_of)
        of_messaging.also("warnings", personal_data.notices_of)
