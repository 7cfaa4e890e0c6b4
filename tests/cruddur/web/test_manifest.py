"""What makes the site installable."""

from django.contrib.staticfiles import finders
from django.test import Client


def test_icons_exist(client: Client) -> None:
    response = client.get("/manifest.webmanifest")

    assert response["Content-Type"] == "application/manifest+json"
    icons = response.json()["icons"]
    assert [icon["src"] for icon in icons if not finders.find(icon["src"].removeprefix("/static/"))] == []
    assert {(icon["sizes"], icon.get("purpose")) for icon in icons} >= {("192x192", "any"), ("512x512", "maskable")}


def test_app_starts_at_the_conversations(client: Client) -> None:
    manifest = client.get("/manifest.webmanifest").json()

    assert (manifest["start_url"], manifest["display"]) == ("/messages", "standalone")


def test_pages_link_to_the_manifest(client: Client) -> None:
    assert '<link rel="manifest" href="/manifest.webmanifest">' in client.get("/").text
