from django.apps import AppConfig


class LegacyImportConfig(AppConfig):
    """Registers the command that imports users and conversations of the predecessor."""

    name = "legacy_import"
