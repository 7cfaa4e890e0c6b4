"""The lines that end a run of the tests: what it skipped, what it ran on, and what was slow."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from heapq import nlargest
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest

NO_CHROMIUM = "There is no Chromium on this machine: install one (on Debian and Ubuntu `apt install chromium`)."
INSTALLED_WITH = "installed with"
"""The property of a test that names the Python which packages were installed for."""
SLOW_TEST = 2.0
SLOW_FILE = 10.0
"""Seconds from which a test or a file is listed, its fixtures included."""
LISTED = 10


def lines(skipped: Iterable[pytest.TestReport], passed: Iterable[pytest.TestReport]) -> Iterator[str]:
    """Yield a line for the tests that a missing browser skipped, and one for the Pythons that packages were for."""
    without_browser = sum(NO_CHROMIUM in str(report.longrepr) for report in skipped)
    if without_browser:
        yield f"Skipped for want of a browser: {without_browser} tests. {NO_CHROMIUM}"
    pythons = {str(value) for report in passed for name, value in report.user_properties if name == INSTALLED_WITH}
    if pythons:
        yield f"The packages were installed, and the stack started, with Python {', '.join(sorted(pythons))}."


def slowest(reports: Iterable[pytest.TestReport]) -> Iterator[str]:
    """Yield the slowest files and tests, slowest first; nothing when all of them were fast.

    `reports` are those of every phase (setup, call and teardown), whose seconds are added up.
    """
    tests: dict[str, float] = defaultdict(float)
    files: dict[str, float] = defaultdict(float)
    for report in reports:
        tests[report.nodeid] += report.duration
        files[report.nodeid.split("::")[0]] += report.duration
    yield from _listed("Slowest files", files, SLOW_FILE)
    yield from _listed("Slowest tests", tests, SLOW_TEST)


def _listed(title: str, seconds: dict[str, float], least: float) -> Iterator[str]:
    slow = [(spent, name) for name, spent in seconds.items() if spent >= least]
    if slow:
        yield f"{title}, in seconds:"
        yield from (f"{spent:8.1f}  {name}" for spent, name in nlargest(LISTED, slow))
