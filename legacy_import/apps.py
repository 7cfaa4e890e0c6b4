from django.apps import AppConfig


class LegacyImportConfig(AppConfig):
    """The command that imports people and conversations of the predecessor."""

    name = "legacy_import"
