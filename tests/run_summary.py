"""What a run of the tests says at its end of what it did not try, and with what it tried the rest."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest

NO_CHROMIUM = "There is no Chromium on this machine: install one (on Debian and Ubuntu `apt install chromium`)."
INSTALLED_WITH = "installed with"
"""The property of a test that tells the Python which packages were installed for."""


def lines(skipped: Iterable[pytest.TestReport], passed: Iterable[pytest.TestReport]) -> Iterator[str]:
    """Yield a line for all tests that a missing browser skipped, and one for the Pythons that packages installed on."""
    without_browser = sum(NO_CHROMIUM in str(report.longrepr) for report in skipped)
    if without_browser:
        yield f"Skipped for want of a browser: {without_browser} tests. {NO_CHROMIUM}"
    pythons = {str(value) for report in passed for name, value in report.user_properties if name == INSTALLED_WITH}
    if pythons:
        yield f"The packages were installed, and the stack started, with Python {', '.join(sorted(pythons))}."
