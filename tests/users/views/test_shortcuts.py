"""The list of keyboard shortcuts."""

from django.test import Client

from users.models import User


def test_shortcut_list_has_its_own_page(client: Client, londo: User) -> None:
    client.force_login(londo)

    assert "<kbd>/</kbd>" in client.get("/shortcuts").text
