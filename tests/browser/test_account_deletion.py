"""Deleting one's account, and what the other person sees of it meanwhile."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from playwright.sync_api import Page, expect

from messaging.actions import delete_account
from users.models import MOCK, User

from .chat import conversation, expect_the_page_to_equal_its_reload, field, message, open_conversation, write

Enter = Callable[..., Page]


def test_deleting_an_account_shows_at_once_in_the_other_s_open_page(
    monkeypatch: pytest.MonkeyPatch, enter: Enter
) -> None:
    monkeypatch.setattr(delete_account, "REQUESTS_END_WITHIN", timedelta(0))
    # The pool is that of all tests: the Cognito user stays.
    User.objects.filter(handle="andrewbrown").update(cognito_user_id=MOCK)
    leaving = enter("andrewbrown")
    open_conversation(leaving, "Bayko")
    write(leaving, "The last thing I say")
    staying = enter("bayko")
    open_conversation(staying, "Andrew Brown")
    expect(message(staying, "The last thing I say")).to_be_visible()
    field(leaving).fill("A draft")
    here = staying.url

    leaving.goto("/settings")
    leaving.get_by_role("link", name="Delete my account").click()
    leaving.get_by_role("link", name="Export my data first").click()
    with leaving.expect_download() as download:
        leaving.get_by_role("button", name="Download").click()
    data = json.loads(download.value.path().read_text())
    assert data["complete"]
    assert "The last thing I say" in [said["text"] for talk in data["conversations"] for said in talk["messages"]]
    leaving.go_back()
    leaving.get_by_role("textbox", name="Type your handle").fill("bayko")
    leaving.get_by_role("button", name="Delete my account").click()
    expect(leaving.get_by_text("This is not your handle. Nothing was deleted.")).to_be_visible()
    leaving.get_by_role("textbox", name="Type your handle").fill("andrewbrown")
    leaving.get_by_role("button", name="Delete my account").click()

    expect(leaving.get_by_role("heading", name="Your account is being deleted")).to_be_visible()
    leaving.wait_for_function("() => !Object.keys(localStorage).some((name) => name.startsWith('cruddur'))")
    leaving.goto("/messages")
    expect(leaving).to_have_url(re.compile(r"/\?next="))

    call_command("delete_person", "--pending", stdout=StringIO(), skip_checks=True)

    expect(staying.get_by_role("heading", name="Deleted user")).to_be_visible()
    expect(staying.get_by_text("The last thing I say")).to_have_count(0)
    expect(staying.get_by_text("This message was deleted").last).to_be_visible()
    expect(staying.get_by_text("Nothing can be written in this conversation.")).to_be_visible()
    expect(conversation(staying, "Deleted user")).to_have_count(1)
    expect(staying.get_by_text("Andrew Brown")).to_have_count(0)
    assert staying.url.split("#")[0] == here.split("#")[0]
    expect_the_page_to_equal_its_reload(staying)
