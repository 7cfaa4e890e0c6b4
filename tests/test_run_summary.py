from types import SimpleNamespace
from typing import Any

from tests.run_summary import INSTALLED_WITH, LISTED, NO_CHROMIUM, lines, slowest


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


def test_slowest_files_and_tests_are_listed_with_all_their_phases() -> None:
    reports = [
        report(nodeid="tests/test_a.py::test_one", duration=1.5),
        report(nodeid="tests/test_a.py::test_one", duration=1.5),
        report(nodeid="tests/test_a.py::test_two", duration=9.0),
        report(nodeid="tests/test_b.py::test_fast", duration=0.1),
    ]

    assert list(slowest(reports)) == [
        "Slowest files, in seconds:",
        "    12.0  tests/test_a.py",
        "Slowest tests, in seconds:",
        "     9.0  tests/test_a.py::test_two",
        "     3.0  tests/test_a.py::test_one",
    ]


def test_list_of_slow_tests_is_short() -> None:
    reports = [report(nodeid=f"tests/test_{number}.py::test_it", duration=100.0) for number in range(50)]

    assert len(list(slowest(reports))) == 2 * (LISTED + 1)


def test_fast_run_lists_no_slow_tests() -> None:
    assert list(slowest([report(nodeid="tests/test_a.py::test_one", duration=0.5)])) == []
