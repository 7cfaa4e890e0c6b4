import pytest

from cruddur.text import is_blank, normalise_long_text
from messaging.domain.text import PREVIEW_BYTES, preview, problem_with


@pytest.mark.parametrize(
    "text",
    ["", " ", "\n\t ", "\u200b", "\u200d\ufeff", "\u2060\u00ad", "\x00\x07", "\u3000", "\u3164", "\u2800", "\ufe0f"],
)
def test_it_finds_text_blank_of_which_nothing_is_seen(text: str) -> None:
    assert is_blank(text)
    assert problem_with(text) == "message_blank"


@pytest.mark.parametrize("text", [".", "😂", "❤\ufe0f", "  a", "صباح", "\u0301a", "👨\u200d👩\u200d👧"])
def test_it_finds_text_not_blank_of_which_anything_is_seen(text: str) -> None:
    assert problem_with(text) is None


def test_it_makes_line_ends_one_character_and_composes_letters() -> None:
    assert normalise_long_text("a\r\nb\rc\nJu\u0308rgen") == "a\nb\nc\nJürgen"


def test_it_counts_code_points_as_the_browser_does() -> None:
    assert problem_with("😂" * 1024) is None
    assert problem_with("😂" * 1025) == "message_exceed_max_chars"


def test_its_preview_ends_between_two_characters() -> None:
    shortened = preview("a" + "é" * 150)

    assert shortened == "a" + "é" * 99
    assert len(shortened.encode()) <= PREVIEW_BYTES
    assert preview("short") == "short"
