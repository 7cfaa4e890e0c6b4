"""What the bench counts is what the system promises to cost."""

import pytest

from messaging.dynamodb.table import MessageTable
from tools.bench.costs import figures


@pytest.fixture
def found(table: MessageTable, db: None) -> dict[str, float]:
    """Return the figures by name."""
    return {figure.name: figure.value for figure in figures(endpoint="the emulator", seeded=1)}


def test_a_message_and_a_burst_cost_what_is_promised(found: dict[str, float]) -> None:
    message = "costs/a message, C and E"
    assert found[f"{message}/write units"] <= 10
    assert found[f"{message}/read units"] <= 1
    assert found[f"{message}/calls"] <= 4
    assert found["costs/a burst of 100/write units a message"] <= 4.2

    # As it is known of the system before, in a burst too.
    assert found["costs/old/a message, C and E/write units"] == 9
    assert found["costs/old/a burst of 100/write units a message"] == 9
    assert found["costs/old/a message, C and E/read units"] == 0.5
    assert found["costs/old/a message, C and E/calls"] == 6

    assert found["costs/live delivery/calls"] == 0
    assert found["costs/page/thread/SQL statements"] <= 3
