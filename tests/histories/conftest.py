"""Says at the end of a run what the histories tried."""

from __future__ import annotations

import pytest

from .tally import Tally


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    total = Tally()
    for outcome in ("passed", "failed"):
        for report in terminalreporter.getreports(outcome):
            for name, value in report.user_properties:
                if name == "histories":
                    total.add(Tally.from_counts(value))
    if total.histories:
        terminalreporter.section("histories")
        for line in total.lines():
            terminalreporter.write_line(line)
