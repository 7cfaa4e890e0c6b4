"""Every text that people read passes through Django's translation."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest
from django.conf import settings
from django.template.base import Lexer, TokenType
from django.test import Client

TEMPLATES = sorted((settings.BASE_DIR / "templates").rglob("*.html"))
# Attributes whose values people read or hear.
SPOKEN = {"alt", "aria-description", "aria-label", "aria-roledescription", "placeholder", "title"}
# Not translated anywhere: names, and the start of one that stands for a person in the drawing of the front page.
NAMES = {"Cruddur Messages", "· Cruddur Messages", "B"}
WORD = re.compile(r"[^\W\d_]")
# A tag's argument that begins like a sentence.
LITERAL = re.compile(r"""(?<![_\w]\()(?<!_\()["']([A-Z][^"']*)["']""")


class Reader(HTMLParser):
    """Collects the words of a page: what is shown, and what is read from attributes."""

    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []
        self.tag = ""

    def handle_data(self, data: str) -> None:
        if self.tag not in {"kbd", "script"}:  # what is printed on a key, and what nobody reads
            self.words.append(data.strip())

    def handle_endtag(self, tag: str) -> None:
        self.tag = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tag = tag
        self.words.extend((value or "").strip() for name, value in attrs if name in SPOKEN)


def words_of(html: str) -> list[str]:
    reader = Reader()
    reader.feed(html)
    reader.close()
    return [word for word in reader.words if WORD.search(word) and word not in NAMES]


def untranslated(template: str) -> Iterator[str]:
    """Yield a template's literal texts: between tags, in attributes, and as arguments of template tags."""
    html, within = "", ""
    for token in Lexer(template).tokenize():
        name = token.contents.split(" ", 1)[0]
        if token.token_type == TokenType.BLOCK and name in {"block", "blocktranslate", "endblock", "endblocktranslate"}:
            within = {"blocktranslate": "translation"}.get(name, token.contents if name == "block" else "")
        elif token.token_type == TokenType.BLOCK and name not in {"translate", "plural"}:
            yield from LITERAL.findall(token.contents)
        elif token.token_type == TokenType.TEXT and within not in {"translation", "block body_class"}:
            html += token.contents
    yield from words_of(html)


@pytest.mark.parametrize("file", TEMPLATES, ids=lambda file: str(file.relative_to(settings.BASE_DIR / "templates")))
def test_a_template_has_no_words_outside_translation(file: Path) -> None:
    assert list(untranslated(file.read_text())) == []


@pytest.mark.parametrize(
    ("template", "found"),
    [
        ("<p>Two words</p>", ["Two words"]),
        ('<a aria-label="Close" href="/x">{{ name }}</a>', ["Close"]),
        ('{% include "a.html" with label="Sign in" %}', ["Sign in"]),
        ('{% include "a.html" with label=_("Sign in") look="button" %}', []),
        ('<p class="Big">{% translate "Words" %} {% blocktranslate %}More{% endblocktranslate %}</p>', []),
        ("{% block body_class %}app wide{% endblock %}", []),
    ],
)
def test_words_outside_translation_are_found(template: str, found: list[str]) -> None:
    assert list(untranslated(template)) == found


def test_the_page_says_its_language_and_direction(client: Client) -> None:
    response = client.get("/")

    assert '<html lang="en" dir="ltr"' in response.text
    assert response["Content-Language"] == "en"
