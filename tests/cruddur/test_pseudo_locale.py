"""In a language that is made up for the test, every text of the main pages is in that language."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from django.test import Client
from django.utils import translation
from django.utils.translation import trans_real

from messaging.dynamodb.table import MessageTable
from tests.cruddur.test_translation import WORD, words_of
from tests.messaging.talk import drain, send, start
from users.models import User

MARK = "\u2e22{}\u2e23"  # around every text that was translated
TRANSLATED = re.compile("\u2e22[^\u2e23]*\u2e23")
# Names, what people wrote, and the word in the pattern of a date.
NOT_TRANSLATED = re.compile(
    r"Andrew Brown|@?andrewbrown|\bAB?\b|@?bayko|\bB\b|Zyx|Cruddur Messages|\bat\b", re.IGNORECASE
)


class MadeUp(trans_real.DjangoTranslation):
    """A catalogue that has every text: the English one between brackets, its placeholders as they are."""

    def __init__(self) -> None:
        super().__init__("en")

    def gettext(self, message: str) -> str:
        # With a context, as patterns of dates have, "" says that there is none.
        return message if "\x04" in message else MARK.format(message)

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        return MARK.format(msgid1 if n == 1 else msgid2)


@pytest.fixture
def made_up(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Replace English by the pseudo-locale."""
    monkeypatch.setitem(getattr(trans_real, "_translations"), "en", MadeUp())  # noqa: B009 # the stubs hide it
    yield
    # A request leaves its language to the thread, and so to the next test.
    translation.deactivate()


def left_in_english(html: str) -> list[str]:
    """Return the page's texts that no catalogue translated, without names and texts of people."""
    texts = (NOT_TRANSLATED.sub("", text) for text in words_of(TRANSLATED.sub("", html)))
    return [text for text in texts if WORD.search(text)]


@pytest.fixture
def group(andrew: User, bayko: User, fake_table: MessageTable) -> str:
    """Return the address of a conversation with a message of each member."""
    first = start(by=bayko.uuid, to=andrew.uuid, text="Zyx")
    send(by=andrew.uuid, group=first.group_uuid, text="Zyx")
    drain(fake_table)
    return f"/messages/{first.group_uuid}"


@pytest.mark.usefixtures("made_up")
@pytest.mark.parametrize(
    "path",
    [
        "/messages",
        "conversation",
        "/messages/new?q=bay",
        "/messages/new?q=zzz",
        "/@andrewbrown",
        "/settings",
        "/shortcuts",
        "/nothing",
    ],
)
def test_a_page_has_no_text_of_its_own_in_english(client: Client, andrew: User, group: str, path: str) -> None:
    client.force_login(andrew)

    response = client.get(group if path == "conversation" else path)

    assert left_in_english(response.text) == []


@pytest.mark.usefixtures("made_up")
def test_a_problem_is_told_in_the_language_of_the_page(client: Client, andrew: User, group: str) -> None:
    client.force_login(andrew)

    for response in (client.post(group, {"message": " "}), client.post("/settings", {"display_name": ""})):
        assert response.status_code == 422
        assert left_in_english(response.text) == []


@pytest.mark.usefixtures("made_up")
def test_the_front_page_has_no_text_of_its_own_in_english(client: Client, db: None) -> None:
    assert left_in_english(client.get("/").text) == []
