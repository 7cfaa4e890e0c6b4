"""A table for histories; and what they tried, said at the end of a run."""

from __future__ import annotations

import pytest
from botocore.config import Config  # noqa: TID251 - another time limit

from messaging.dynamodb import client
from messaging.dynamodb.table import MessageTable

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


@pytest.fixture
def patient_table(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> MessageTable:
    """Create the table with long timeouts, so that load is not mistaken for a fault."""
    monkeypatch.setattr(client, "WEB_TIMEOUTS", client.WEB_TIMEOUTS.merge(Config(connect_timeout=60, read_timeout=60)))
    monkeypatch.setattr("time.sleep", lambda _: None)
    # What one history used up of it would be missing in the next.
    monkeypatch.setattr("botocore.retries.quota.RetryQuota.acquire", lambda *_: True)
    table: MessageTable = request.getfixturevalue("table")
    return table
