"""Which names the search for unused code takes for used, and when an exception is out of date."""

from __future__ import annotations

import ast

import pytest

from tools.lint.dead_code import (
    ALLOWED,
    Allowed,
    Unused,
    describe,
    names_in_dotted_paths,
    names_in_templates,
    names_of_fixtures,
    read_allowed,
    reported,
    stale,
)

META = Unused("users/models.py", 81, "class", "Meta")
FORGOTTEN = Unused("users/people.py", 7, "function", "forgotten")


def test_allowed_name_is_not_reported() -> None:
    assert reported([META, FORGOTTEN], [Allowed("M*a", ("*",))]) == [FORGOTTEN]


def test_name_is_reported_outside_the_files_of_its_exception() -> None:
    assert reported([META], [Allowed("Meta", ("messaging/*",))]) == [META]


def test_unused_code_is_reported_by_file_and_line() -> None:
    assert describe(FORGOTTEN) == "users/people.py:7: function forgotten"


def test_exception_that_covers_nothing_is_stale() -> None:
    needed, old = Allowed("Meta", ("*",)), Allowed("gone", ("*",))

    assert stale([META], [needed, old]) == [old]


def test_exception_without_reason_is_refused() -> None:
    with pytest.raises(ValueError, match="reason"):
        list(read_allowed('[[allowed]]\nwhy = " "\nnames = ["Meta"]'))


def test_list_of_exceptions_can_be_read_and_names_nothing_twice() -> None:
    names = [each.name for each in read_allowed(ALLOWED.read_text(encoding="utf-8"))]

    assert names
    assert len(set(names)) == len(names)


def test_names_in_templates_count_as_used() -> None:
    names = names_in_templates(["<p>outside {{ row.time.iso }} {% if thread.writable %}"])

    assert {"iso", "writable"} <= names
    assert "outside" not in names


def test_last_name_of_a_dotted_path_into_the_project_counts_as_used() -> None:
    source = (
        'MIDDLEWARE = ["cruddur.web.middleware.TrailingSlashMiddleware", "django.contrib.Other", "a sentence. Two"]'
    )

    assert names_in_dotted_paths(ast.parse(source)) == {"TrailingSlashMiddleware"}


def test_fixtures_count_as_used() -> None:
    source = "@pytest.fixture(autouse=True)\ndef panel(): ...\n\ndef helper(): ...\n"

    assert names_of_fixtures(ast.parse(source)) == {"panel"}
