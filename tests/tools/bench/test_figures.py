from __future__ import annotations

import json

import pytest

from tools.bench.figures import Figure, at_percentiles, number, tell

BARE = Figure("bare/thread", 4.0, "ms")
THREAD = Figure("pages/thread", 5.0, "ms").against(BARE)


def test_a_figure_is_held_against_another() -> None:
    assert (THREAD.versus, THREAD.ratio) == ("bare/thread", 1.25)


def test_a_comparison_with_nothing_has_no_ratio() -> None:
    assert THREAD.against(Figure("nothing", 0, "ms")).ratio is None


def test_figures_for_people_are_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    tell([BARE, THREAD], as_json=False)

    assert capsys.readouterr().out == "bare/thread   4 ms\npages/thread  5 ms  1.25 x bare/thread\n"


def test_figures_for_programs_are_json_lines(capsys: pytest.CaptureFixture[str]) -> None:
    tell([BARE, THREAD], as_json=True)

    first, second = map(json.loads, capsys.readouterr().out.splitlines())
    assert first == {"name": "bare/thread", "value": 4.0, "unit": "ms", "versus": None, "ratio": None}
    assert second == {"name": "pages/thread", "value": 5.0, "unit": "ms", "versus": "bare/thread", "ratio": 1.25}


def test_percentiles_are_computed() -> None:
    found = at_percentiles("send", list(range(101)))

    assert [(each.name, each.value) for each in found] == [("send/p50", 50), ("send/p95", 95), ("send/p99", 99)]


@pytest.mark.parametrize(("value", "text"), [(1234.4, "1,234"), (12.34, "12.3"), (0.0512, "0.0512"), (7.0, "7")])
def test_numbers_have_three_significant_digits(value: float, text: str) -> None:
    assert number(value) == text
