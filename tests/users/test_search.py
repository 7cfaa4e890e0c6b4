from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from users.models import User
from users.people import seed_people
from users.search import find_people

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _people() -> None:
    seed_people()


@pytest.fixture
def me() -> User:
    return User.objects.get(handle="londo")


def handles(query: str, me: User, page: int = 1) -> list[str]:
    return [person.handle for person in find_people(query=query, exclude=me, page=page).people]


@pytest.mark.parametrize(
    ("query", "handle"),
    [
        ("jurgen weiss", "jurgen"),
        ("JÜRGEN", "jurgen"),
        ("weiss jurgen", "jurgen"),
        ("weiß", "jurgen"),
        ("nour", "nour"),
        ("الهاشمي", "nour"),
        ("はるか", "haruka"),
        ("小雨", "xiaoyu"),
        ("ostergard", "signe"),
        ("OSTERGÅRD", "signe"),
        ("dvorak", "mirek"),
        ("ΕΛΕΝΗ", "eleni"),
        ("оксана", "oksana"),
        ("lin mei", "meilin"),
        ("@Bayko", "bayko"),
        ("  castellanos   wren ", "wren_c"),
        ("bernath", "quill"),
    ],
)
def test_search_finds(me: User, query: str, handle: str) -> None:
    assert handles(query, me)[0] == handle


def test_search_requires_every_word(me: User) -> None:
    assert handles("jurgen wrong", me) == []


def test_exact_handle_comes_first(me: User) -> None:
    User.objects.create_user(handle="aaa", display_name="Bayko Aardvark")

    assert handles("bayko", me) == ["bayko", "aaa"]


def test_prefixes_come_before_infixes(me: User) -> None:
    User.objects.create_user(handle="aaa", display_name="Abrown")

    assert handles("brown", me) == ["altbrown", "andrewbrown", "aaa"]


@pytest.mark.parametrize("query", ["%", "b%o", "\\", "bay_o", "'", '"'])
def test_wildcards_are_literal(me: User, query: str) -> None:
    assert handles(query, me) == []


def test_underscore_is_literal(me: User) -> None:
    assert set(handles("_", me)) == {"desta_07", "opal_w", "thu_ha", "wren_c"}


@pytest.mark.parametrize("query", ["", "   ", "@", "\u200b", "\x00"])
def test_empty_query_finds_nobody(me: User, query: str) -> None:
    page = find_people(query=query, exclude=me, page=1)

    assert (page.total, page.people) == (0, ())


def test_search_excludes_oneself(me: User) -> None:
    assert handles("londo", me) == []


def test_search_excludes_inactive_users(me: User) -> None:
    User.objects.filter(handle="bayko").update(is_active=False)

    assert "bayko" not in handles("bayko", me)


def test_new_name_is_found_at_once(me: User) -> None:
    person = User.objects.get(handle="bayko")
    person.display_name = "Zebedee"
    person.save(update_fields=["display_name"])

    assert handles("zebedee", me) == ["bayko"]


def test_results_are_paginated_by_twenty(me: User) -> None:
    for number in range(45):
        User.objects.create_user(handle=f"page_{number:02}_x", display_name="Page Turner")

    first, last = (find_people(query="page", exclude=me, page=number) for number in (1, 3))

    assert (len(first.people), first.total, first.has_previous, first.has_next) == (20, 45, False, True)
    assert (len(last.people), last.has_previous, last.has_next) == (5, True, False)


@pytest.mark.parametrize(("page", "number"), [(0, 1), (-3, 1), (99, 1)])
def test_page_number_is_clamped(me: User, page: int, number: int) -> None:
    assert find_people(query="bay", exclude=me, page=page).number == number


@pytest.mark.parametrize("query", ["bay", "a b c d e f g h i j k l m n", "x" * 10_000])
def test_search_costs_at_most_two_statements(me: User, query: str) -> None:
    with CaptureQueriesContext(connection) as statements:
        find_people(query=query, exclude=me, page=1)

    assert len(statements) <= 2
