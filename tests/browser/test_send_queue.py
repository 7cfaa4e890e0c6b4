"""Sixteen devices that write into one conversation at once: the outbox gets each message stored once."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, Response, expect
from pytest_django.fixtures import Settings

from messaging.actions import send_message
from messaging.actions import send_message as send_message_actions

from .conftest import Enter
from .writing import is_stored, message, unsent, write, writing_to

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

DEVICES = 8
"""Of each of two people."""
HANGS = 60.0


def wait_until(page: Page, is_so: Callable[[], bool]) -> None:
    for _ in range(int(HANGS / 0.02)):
        if is_so():
            return
        page.wait_for_timeout(20)
    raise AssertionError


def test_sixteen_at_once_through_the_outbox_are_stored_once_each(
    enter: Enter, monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    settings.SEND_QUEUE_SECONDS = 0.2
    refused: list[str | None] = []
    may_write, append = threading.Event(), send_message.append

    def held(*arguments: Any, **how: Any) -> Any:
        assert may_write.wait(HANGS)
        return append(*arguments, **how)

    def note(response: Response) -> None:
        if response.request.method == "POST" and response.status == 429:
            refused.append(response.request.post_data)

    monkeypatch.setattr(send_message_actions, "append", held)
    pages: dict[str, Page] = {}
    for number in range(DEVICES):
        for handle, other in (("andrewbrown", "Londo"), ("londo", "Andrew Brown")):
            pages[f"From {handle} {number}"] = page = writing_to(enter, other, handle=handle)
            page.on("response", note)

    for text, page in pages.items():
        write(page, text)
    try:
        # The first is writing and all others are told to come again.
        wait_until(page, lambda: len(set(refused)) == len(pages) - 1)
    finally:
        may_write.set()

    for text, page in pages.items():
        expect(is_stored(message(page, text))).to_have_count(1, timeout=60_000)
        expect(message(page, text)).to_have_count(1)
        assert unsent(page) == []
    for text in pages:
        expect(is_stored(message(pages["From londo 0"], text))).to_have_count(1, timeout=60_000)
