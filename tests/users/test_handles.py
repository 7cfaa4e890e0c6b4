# Look-alikes are what this file is about.
# ruff: noqa: RUF001, RUF003

from __future__ import annotations

import pytest
from django.db import IntegrityError, transaction

from users.handles import HandleError, skeleton, validate_handle
from users.models import User
from users.people import person_by_handle, seeded_people


@pytest.mark.parametrize("handle", [seed.handle for seed in seeded_people()] + ["bay_area_kites", "m3", "1bay", "_x_"])
def test_plain_handle_is_unchanged(handle: str) -> None:
    assert validate_handle(handle) == handle


def test_seeded_handles_are_distinct() -> None:
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
def test_letters_of_any_one_script_are_accepted(handle: str) -> None:
    assert validate_handle(handle) == handle


@pytest.mark.parametrize(
    ("written", "handle"), [(" bayko ", "bayko"), ("@bayko", "bayko"), ("ｂａｙｋｏ", "bayko"), ("José", "José")]
)
def test_handle_is_normalized(written: str, handle: str) -> None:
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
def test_invalid_handle_is_rejected(handle: str, code: str) -> None:
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
def test_reserved_names_and_lookalikes_are_rejected(handle: str) -> None:
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
def test_database_rejects_lookalike_handles(one: str, other: str) -> None:
    User.objects.create_user(handle=one, display_name="First")

    with pytest.raises(IntegrityError), transaction.atomic():
        User.objects.create_user(handle=other, display_name="Second")


@pytest.mark.parametrize(("one", "other"), [("bayko", "baykal"), ("jose", "josé"), ("bay_ko", "bayko"), ("ada", "aba")])
@pytest.mark.django_db
def test_database_accepts_distinct_handles(one: str, other: str) -> None:
    User.objects.create_user(handle=one, display_name="First")
    User.objects.create_user(handle=other, display_name="Second")


@pytest.mark.parametrize("handle", ["Éléonore", "éléonore", "ÉLÉONORE"])
@pytest.mark.django_db
def test_handle_is_found_regardless_of_case(handle: str) -> None:
    person = User.objects.create_user(handle="Éléonore", display_name="E")

    assert person_by_handle(handle) == person
    assert User.objects.get_by_natural_key(handle) == person


@pytest.mark.parametrize("handle", ["bayk0", "bayko_", "", "bay\x00ko", "%", "x" * 5000])
@pytest.mark.django_db
def test_lookalike_handle_is_not_found(bayko: User, handle: str) -> None:
    assert person_by_handle(handle) is None
