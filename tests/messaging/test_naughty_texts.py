"""Texts that break other chats: each is refused or comes back as it was, as words and never as markup."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from cruddur.text import normalise_long_text
from messaging.domain.text import MESSAGE_MAX_CHARS, problem_with
from messaging.dynamodb.table import MessageTable
from tests import corpus, html
from users.models import User

from .pages import group_of
from .talk import write_all

pytestmark = pytest.mark.django_db


def naughty_strings() -> list[str]:
    texts = [normalise_long_text(text) for text in corpus.naughty_strings()]
    return [text for text in texts if problem_with(text) is None]


def script_vectors() -> Iterator[str]:
    """Yield texts of as many vectors as fit in a message."""
    text = ""
    for line in corpus.script_vectors():
        if len(text) + len(line) >= MESSAGE_MAX_CHARS:
            yield normalise_long_text(text).strip()
            text = ""
        text += f"{line}\n" if len(line) < MESSAGE_MAX_CHARS else ""
    yield normalise_long_text(text).strip()


@pytest.mark.parametrize("texts", [naughty_strings(), list(script_vectors())], ids=["naughty", "script"])
def test_a_thread_shows_every_text_as_it_was_written(
    client: Client, andrew: User, bayko: User, moto_table: MessageTable, texts: list[str]
) -> None:
    assert len(texts) > 300
    begin = timezone.now() - timedelta(days=1)
    lines = [(bayko.uuid, text, begin + timedelta(seconds=number)) for number, text in enumerate(texts)]
    write_all(moto_table, lines, members=(andrew.uuid, bayko.uuid))
    client.force_login(andrew)
    url: str | None = f"/messages/{group_of(andrew, bayko)}?newest"
    found: list[str] = []
    while url:
        response = client.get(url)
        messages = list(html.shown(response).iterfind(".//p[@class='message__text']"))
        found = [*map(html.text_in, messages), *found]
        for link in (inner for message in messages for inner in message.iter() if inner is not message):
            assert link.tag == "a"
            assert link.attrib["href"].startswith(("http://", "https://"))
            assert link.keys() == ["href", "rel", "dir"]
        url = response.context["conversation"].older_url

    assert found == texts
