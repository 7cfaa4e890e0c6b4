"""People made in bulk: true to the rules of everyone else's rows, and never mistaken for anyone."""

import unicodedata
from datetime import UTC, datetime
from itertools import combinations
from random import Random

import pytest

from users import synthetic
from users.handles import skeleton, validate_handle
from users.models import DISPLAY_NAME_MAX_CHARS, User
from users.synthetic import HandlesTaken, create_synthetic_people, display_name

LONG_AGO = datetime(2024, 11, 21, tzinfo=UTC)


def create(number: int, seed: int = 1) -> synthetic.SyntheticPeople:
    return create_synthetic_people(number, created_at=LONG_AGO, random=Random(seed))


@pytest.mark.django_db
def test_their_rows_are_as_saving_would_have_made_them() -> None:
    people = create(30)

    rows = list(User.objects.in_bulk(people.uuids).values())
    assert len(rows) == 30
    for row in rows:
        derived = (row.handle_skeleton, row.search_text)
        row.full_clean()
        row.save()
        assert (row.handle_skeleton, row.search_text) == derived
        assert not row.has_usable_password()
        assert row.cognito_user_id == "MOCK"
        assert row.email == f"{row.handle}@cruddur.example"
        assert row.created_at == LONG_AGO


@pytest.mark.django_db
def test_they_are_numbered_on_from_the_last_ones() -> None:
    assert create(3).first == 1
    again = create(2)

    assert [User.objects.get(pk=uuid).handle for uuid in again.uuids] == ["synthetic_4", "synthetic_5"]
    assert again.handle(1) == "synthetic_5"


@pytest.mark.django_db
def test_a_run_of_the_same_name_finds_its_people_again() -> None:
    def of_run(run: str, number: int = 3) -> synthetic.SyntheticPeople:
        return synthetic.synthetic_people(number, run=run, created_at=LONG_AGO, random=Random(1))

    first, other = of_run("7/3"), of_run("8/3")
    again = of_run("7/3")

    assert (first.found, other.found, again.found) == (False, False, True)
    assert (again.uuids, again.first, again.created_at) == (first.uuids, first.first, LONG_AGO)
    assert not set(first.uuids) & set(other.uuids)
    assert User.objects.count() == 6

    User.objects.filter(pk=first.uuids[1]).delete()
    with pytest.raises(synthetic.PeopleGone, match="Of the 3 people of this --random-seed 2 are left"):
        of_run("7/3")


@pytest.mark.django_db
def test_numbers_that_others_took_are_passed_over() -> None:
    User.objects.create_user(handle="Synthetic_41", display_name="Not one of them")
    User.objects.create_user(handle="synthetic_x", display_name="Nor this one")

    assert create(1).first == 42


@pytest.mark.django_db
def test_the_same_seed_gives_the_same_names_and_other_people() -> None:
    one, other = create(20), create(20)

    names = [[User.objects.get(pk=uuid).display_name for uuid in people.uuids] for people in (one, other)]
    assert names[0] == names[1]
    assert not set(one.uuids) & set(other.uuids)


@pytest.mark.django_db
def test_users_are_created_atomically(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(synthetic, "BATCH", 2)
    # Looks like the fifth, and is not seen by those who look for numbers.
    User.objects.create_user(handle="synthetic_b", display_name="B")
    User.objects.filter(handle="synthetic_b").update(handle_skeleton=skeleton("synthetic_5"))

    with pytest.raises(HandlesTaken, match="Run this again"):
        create(6)

    assert [person.handle for person in User.objects.all()] == ["synthetic_b"]


@pytest.mark.django_db
def test_it_tells_how_many_are_saved(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(synthetic, "BATCH", 2)
    told: list[int] = []

    create_synthetic_people(5, created_at=LONG_AGO, random=Random(1), made=told.append)

    assert told == [2, 2, 1]


@pytest.mark.parametrize("number", [1, 9, 10, 99_999, 10**9])
def test_their_handles_are_valid(number: int) -> None:
    handle = synthetic.SyntheticPeople(number, [], LONG_AGO).handle(0)

    assert validate_handle(handle) == handle


def test_no_two_numbers_look_alike() -> None:
    shapes = [skeleton(digit) for digit in "0123456789"]

    assert {len(shape) for shape in shapes} == {1}
    assert all(one != other for one, other in combinations(shapes, 2))


def test_names_vary_in_script() -> None:
    random = Random(1)
    names = [display_name(random) for _ in range(2000)]

    assert len(set(names)) > 300
    assert all(0 < len(name) <= DISPLAY_NAME_MAX_CHARS for name in names)
    assert all(unicodedata.is_normalized("NFC", name) for name in names)
    letters = {unicodedata.name(letter).split()[0] for name in names for letter in name if letter.isalpha()}
    assert letters >= {
        "LATIN",
        "CYRILLIC",
        "GREEK",
        "ARABIC",
        "HEBREW",
        "DEVANAGARI",
        "THAI",
        "CJK",
        "HIRAGANA",
        "HANGUL",
    }
