# Look-alikes are what this file is about.
# ruff: noqa: RUF001, RUF003

from __future__ import annotations

import pytest
from django.db import IntegrityError, transaction

from users.handles import HandleError, skeleton, validate_handle
from users.models import User
from users.people import person_by_handle, seeded_people


@pytest.mark.parametrize("handle", [seed.handle for seed in seeded_people()] + ["bay_area_kites", "m3", "1bay", "_x_"])
def test_it_leaves_a_plain_handle_as_it_is(handle: str) -> None:
    assert validate_handle(handle) == handle


def test_it_finds_no_two_seeded_handles_alike() -> None:
    handles = [seed.handle for seed in seeded_people()]

    assert len({skeleton(handle) for handle in handles}) == len(handles)


@pytest.mark.parametrize(
    "handle",
    [
        "Jürgen",
        "Łukasz",
        "نور",
        "נועה",
        "林小雨",
        "さくら",
        "ハルカー",
        "김민준",
        "अर्जुन",
        "Ελένη",
        "Жанна",
    ],
)
def test_it_accepts_the_letters_of_any_one_script(handle: str) -> None:
    assert validate_handle(handle) == handle


@pytest.mark.parametrize(
    ("written", "handle"), [(" bayko ", "bayko"), ("@bayko", "bayko"), ("ｂａｙｋｏ", "bayko"), ("José", "José")]
)
def test_it_brings_a_handle_into_its_one_spelling(written: str, handle: str) -> None:
    assert validate_handle(written) == handle


@pytest.mark.parametrize(
    ("handle", "code"),
    [
        ("", "handle_blank"),
        (" ", "handle_blank"),
        ("@", "handle_blank"),
        ("a", "handle_invalid"),
        ("x" * 31, "handle_invalid"),
        ("a b", "handle_invalid"),
        ("a-b", "handle_invalid"),
        ("a.b", "handle_invalid"),
        ("a/b", "handle_invalid"),
        ("a\x00b", "handle_invalid"),
        ("a\u200db", "handle_invalid"),
        ("a\u202eb", "handle_invalid"),
        ("12345", "handle_invalid"),
        ("__", "handle_invalid"),
        ("ab\u0336\u0337", "handle_invalid"),
        ("\ud83d\ude00\ud83d\ude00", "handle_invalid"),
        ("🙂🙂", "handle_invalid"),
        ("ﬁne", "handle_invalid"),
        ("bаyko", "handle_invalid"),  # Cyrillic а
        ("bayкο", "handle_invalid"),  # Cyrillic к, Greek ο
        ("نور_", "handle_invalid"),  # the underscore would be drawn on either side
        ("сосо", "handle_confusable"),  # Cyrillic as a whole
        ("ΝΟΤΕ", "handle_confusable"),  # Greek as a whole
    ],
)
def test_it_refuses(handle: str, code: str) -> None:
    with pytest.raises(HandleError) as refused:
        validate_handle(handle)
    assert refused.value.code == code


@pytest.mark.parametrize(
    "handle",
    [
        "admin",
        "Admin",
        "ADMIN",
        "adm1n",
        "a_d_m_i_n",
        "_support_",
        "he1p",
        "cruddur",
        "CrUddUr",
        "r00t",
        "me",
        "new",
    ],
)
def test_it_refuses_reserved_names_and_what_looks_like_them(handle: str) -> None:
    with pytest.raises(HandleError) as refused:
        validate_handle(handle)
    assert refused.value.code == "handle_reserved"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("bayko", "BAYKO"),
        ("bayko", "bayk0"),
        ("bill", "BiIl"),
        ("Ian", "lan"),
        ("bill", "bi11"),
        ("modern", "rnodern"),
        ("bay_ko", "bay__ko"),
        ("Éleni", "éLENI"),
        ("altin", "altın"),
    ],
)
@pytest.mark.django_db
def test_the_database_refuses_a_second_that_looks_the_same(one: str, other: str) -> None:
    User.objects.create_user(handle=one, display_name="First")

    with pytest.raises(IntegrityError), transaction.atomic():
        User.objects.create_user(handle=other, display_name="Second")


@pytest.mark.parametrize(("one", "other"), [("bayko", "baykal"), ("jose", "josé"), ("bay_ko", "bayko"), ("ada", "aba")])
@pytest.mark.django_db
def test_the_database_keeps_apart_what_looks_different(one: str, other: str) -> None:
    User.objects.create_user(handle=one, display_name="First")
    User.objects.create_user(handle=other, display_name="Second")


@pytest.mark.parametrize("handle", ["Éléonore", "éléonore", "ÉLÉONORE"])
@pytest.mark.django_db
def test_a_person_is_found_by_handle_whatever_its_case(handle: str) -> None:
    person = User.objects.create_user(handle="Éléonore", display_name="E")

    assert person_by_handle(handle) == person
    assert User.objects.get_by_natural_key(handle) == person


@pytest.mark.parametrize("handle", ["bayk0", "bayko_", "", "bay\x00ko", "%", "x" * 5000])
@pytest.mark.django_db
def test_a_person_is_not_found_by_what_looks_like_the_handle(bayko: User, handle: str) -> None:
    assert person_by_handle(handle) is None
