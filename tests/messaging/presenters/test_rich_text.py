"""Texts as plain text, links and emoji."""

from __future__ import annotations

import subprocess
import sys

import pytest

from messaging.domain.text import MESSAGE_MAX_CHARS
from messaging.presenters.rich_text import Part, is_emoji, parts


@pytest.mark.parametrize(
    ("text", "links"),
    [
        ("see https://x.example/a_(b)?c=1.", ["https://x.example/a_(b)?c=1"]),
        ("www.cruddur.com and cruddur.com/about", ["https://www.cruddur.com", "https://cruddur.com/about"]),
        ("cruddur.com, readme.md, so.no, 10.0.0.1", []),
        ("javascript:alert(1) ftp://a.com/b data:text/html,x mailto:a@b.com //x.com/y a@b.com", []),
    ],
)
def test_unambiguous_addresses_become_links(text: str, links: list[str]) -> None:
    found = parts(text)

    assert [part.href for part in found if part.href] == links
    assert "".join(part.text for part in found) == text


CPU_SECONDS = 60


"""Of a process of its own, as a pattern that goes back and back cannot be interrupted; a second is enough."""


LONG_HOSTS = {
    "labels that two parts of a pattern match": "xn--aa.",
    "a symbol that a host can begin after": "1.|",
    "such symbols alone": "|",
    "letters and hyphens": "a-",
    "short labels": "a.",
}


@pytest.mark.slow
@pytest.mark.parametrize("before", ["http://", "www.", "/"])
@pytest.mark.parametrize("repeated", LONG_HOSTS.values(), ids=LONG_HOSTS)
def test_links_are_found_in_linear_time(repeated: str, before: str) -> None:
    """A hundred times as long as a message; what takes twice as long for each label never ends."""
    lines = (
        "import resource, sys",
        f"resource.setrlimit(resource.RLIMIT_CPU, ({CPU_SECONDS}, {CPU_SECONDS}))",
        "from messaging.presenters.rich_text import parts",
        f"text = sys.argv[1] + sys.argv[2] * ({100 * MESSAGE_MAX_CHARS} // len(sys.argv[2])) + 'a_/'",
        "assert ''.join(part.text for part in parts(text)) == text",
    )
    ended = subprocess.run(
        [sys.executable, "-c", "\n".join(lines), before, repeated], capture_output=True, text=True, check=False
    )

    assert (ended.returncode, ended.stderr) == (0, "")


def test_plain_text_is_one_part() -> None:
    assert parts("Hello <b>\n there") == [Part("Hello <b>\n there")]


@pytest.mark.parametrize("text", ["😂", "👍🏽👍🏿", "❤️", "🏳️‍🌈", "👩‍👩‍👧 🇦🇹", "1️⃣", "✨ ✨ ✨", "🏴󠁧󠁢󠁥󠁮󠁧󠁿", "☝🏽", "🤷‍♂️\n"])
def test_one_to_three_emoji_are_recognized(text: str) -> None:
    assert is_emoji(text)


@pytest.mark.parametrize("text", ["", "123", "ok 😂", "😂😂😂😂", "❤", "#", ":)", "é"])
def test_other_texts_are_not_emoji(text: str) -> None:
    assert not is_emoji(text)
