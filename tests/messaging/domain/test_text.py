import pytest

from cruddur.text import is_blank, normalise_long_text
from messaging.domain.text import PREVIEW_BYTES, preview, problem_with


@pytest.mark.parametrize(
    "text",
    ["", " ", "\n\t ", "\u200b", "\u200d\ufeff", "\u2060\u00ad", "\x00\x07", "\u3000", "\u3164", "\u2800", "\ufe0f"],
)
def test_invisible_text_is_blank(text: str) -> None:
    assert is_blank(text)
    assert problem_with(text) == "message_blank"


@pytest.mark.parametrize("text", [".", "😂", "❤\ufe0f", "  a", "صباح", "\u0301a", "👨\u200d👩\u200d👧"])
def test_visible_text_is_not_blank(text: str) -> None:
    assert problem_with(text) is None


def test_line_ends_and_letters_are_normalized() -> None:
    assert normalise_long_text("a\r\nb\rc\nJu\u0308rgen") == "a\nb\nc\nJürgen"


def test_length_is_counted_in_code_points() -> None:
    assert problem_with("😂" * 1024) is None
    assert problem_with("😂" * 1025) == "message_exceed_max_chars"


def test_its_preview_ends_between_two_characters() -> None:
    shortened = preview("a" + "é" * 150)

    assert shortened == "a" + "é" * 99
    assert len(shortened.encode()) <= PREVIEW_BYTES
    assert preview("short") == "short"
