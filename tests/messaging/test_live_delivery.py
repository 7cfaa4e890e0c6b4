"""A message goes from the request that sends it to the open streams of the conversation's members."""

from __future__ import annotations

import pytest
from django.test import Client

from messaging.dynamodb import MessageTable
from users.models import User

from .live_site import EventStream, session_of, web_process
from .pages import SCRIPT, post

pytestmark = pytest.mark.django_db(transaction=True)


def test_it_tells_the_other_of_a_message(moto_table: MessageTable, client: Client, andrew: User, bayko: User) -> None:
    client.force_login(andrew, "users.oidc.CognitoBackend")
    with web_process() as site, EventStream.open(site.port, session_of(bayko)) as stream:
        assert stream.next() == ("ready", {"user": str(bayko.uuid)})
        post(client, f"/messages/new/{bayko.handle}", "Hello", headers=SCRIPT)

        name, data = stream.next()

    assert (name, data["seq"], data["preview"]) == ("message", 1, "Hello")
