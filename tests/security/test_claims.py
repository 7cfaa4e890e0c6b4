"""docs/security.md lists claims, each with the tests that hold it: this holds the list itself."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest
from django.conf import settings

from cruddur.web.rate_limits import LIMITS

ROOT = Path(__file__).parents[2]
DOCUMENT = (ROOT / "docs" / "security.md").read_text()
CHAPTERS = re.findall(r"^## (V\d+) .*\n((?:(?!## ).*\n?)*)", DOCUMENT, re.MULTILINE)
TESTS = re.compile(r"`(tests/[\w/]+\.py)::(test_\w+)`")


def claims(text: str) -> list[tuple[str, str]]:
    """Return claim and tests of each row of the tables that begin with `| claim | held by |`."""
    found = list[tuple[str, str]]()
    for table in re.findall(r"^\| claim \| held by \|\n\| --- \| --- \|\n((?:\|.*\n?)+)", text, re.MULTILINE):
        for row in table.splitlines():
            claim, held_by = row.strip("|").rsplit("|", 1)
            found.append((claim.strip(), held_by.strip()))
    return found


@cache
def functions_of(path: str) -> frozenset[str]:
    """Return the names of the test functions of a file. Raises OSError where there is none."""
    tree = ast.parse((ROOT / path).read_text())
    return frozenset(each.name for each in ast.walk(tree) if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef))


def test_every_chapter_of_the_standard_lists_its_claims() -> None:
    assert [number for number, _ in CHAPTERS] == [f"V{number}" for number in range(1, 18)]
    for number, text in CHAPTERS:
        assert claims(text) or "Not used." in text, number


@pytest.mark.parametrize(("claim", "held_by"), claims(DOCUMENT), ids=[claim[:60] for claim, _ in claims(DOCUMENT)])
def test_every_claim_names_tests_that_exist(claim: str, held_by: str) -> None:
    named = TESTS.findall(held_by)

    assert named, f"no test holds: {claim}"
    assert re.sub(r"[,\s]", "", TESTS.sub("", held_by)) == "", "only tests, separated by commas"
    for path, name in named:
        assert name in functions_of(path), f"{path} has no {name}"


def test_no_table_but_those_of_claims_and_limits_is_overlooked() -> None:
    """A row in a table with another heading would be held by nothing."""
    headings = re.findall(r"^(\|.*\|)\n\| --- ", DOCUMENT, re.MULTILINE)

    assert set(headings) == {"| claim | held by |", "| setting | by | default |"}


def test_the_limits_are_those_of_the_settings() -> None:
    table = DOCUMENT.split("| setting | by | default |\n")[1].split("\n\n")[0]
    told = dict[str, str]()
    for row in table.splitlines()[1:]:
        names, _, defaults = (cell.strip() for cell in row.strip("|").split("|"))
        told |= dict(zip(re.findall(r"`RATE_(\w+)`", names), defaults.split(", "), strict=True))

    assert {name.lower(): value for name, value in told.items()} == settings.RATE_LIMITS
    assert told.keys() == {name.upper() for name in LIMITS}
