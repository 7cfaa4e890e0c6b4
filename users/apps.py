from django.apps import AppConfig


class UsersConfig(AppConfig):
    """People: who they are, how they sign in, how they are found."""

    name = "users"
    verbose_name = "People"
