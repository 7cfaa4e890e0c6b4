from django.apps import AppConfig


class UsersConfig(AppConfig):
    """People: accounts, sign-in and search."""

    name = "users"
    verbose_name = "People"
