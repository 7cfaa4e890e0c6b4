"""Avatars and initials."""

from __future__ import annotations

from uuid import UUID

import pytest

from messaging.presenters.avatar import deleted_person, initials, person_view
from users.models import User


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Bayko", "B"),
        ("Andrew Brown", "AB"),
        ("Bay Area Kites", "BK"),
        ("Jürgen Weiß", "JW"),
        ("Baykal Öztürk", "BÖ"),
        ("ßigrid", "ß"),
        ("Дніпро Юлія", "ДЮ"),
        ("نور الهاشمي", "ن"),
        ("林小雨", "林"),
        ("अर्जुन मेहता", "अ"),
        ("(the) moon", "TM"),
        ("  🦊  ", "🦊"),
        ("", ""),
    ],
)
def test_initials_follow_the_script_of_the_name(name: str, expected: str) -> None:
    assert initials(name) == expected


def test_initials_keep_the_marks_of_a_letter() -> None:
    assert initials("E\u0301mile") == "E\u0301"


def test_colour_of_the_avatar_comes_from_the_uuid() -> None:
    person = User(uuid=UUID(int=13), handle="bayko", display_name="Bayko")

    assert (person_view(person).colour, person_view(person).url) == (5, "/@bayko")


def test_user_without_a_row_is_a_deleted_user() -> None:
    assert person_view(None) == deleted_person()
    assert (deleted_person().name, deleted_person().url) == ("Deleted user", "")
