from types import SimpleNamespace
from typing import Any

from tests.run_summary import INSTALLED_WITH, NO_CHROMIUM, lines


def report(**attributes: Any) -> Any:
    return SimpleNamespace(**{"longrepr": None, "user_properties": [], **attributes})


def test_missing_browser_is_told_in_one_line_that_says_what_to_install() -> None:
    skipped = [report(longrepr=("conftest.py", 1, f"Skipped: {NO_CHROMIUM}"))] * 3 + [
        report(longrepr=("x", 1, "other"))
    ]

    (line,) = lines(skipped, [])

    assert line.startswith("Skipped for want of a browser: 3 tests.")
    assert "apt install chromium" in line


def test_run_tells_the_pythons_that_packages_were_installed_for() -> None:
    passed = [report(user_properties=[(INSTALLED_WITH, version)]) for version in ("3.13.0", "3.11.7", "3.11.7")]

    assert list(lines([], [*passed, report()])) == [
        "The packages were installed, and the stack started, with Python 3.11.7, 3.13.0."
    ]


def test_run_that_left_nothing_out_says_nothing() -> None:
    assert list(lines([report(longrepr=("x", 1, "Skipped: needs Java"))], [report()])) == []
