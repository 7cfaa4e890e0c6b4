from __future__ import annotations

from importlib.util import find_spec

import pytest

from tools.bench import command_line, results
from tools.bench.command_line import PARTS, arguments_from, command_of, measure


def test_all_parts_run_by_default() -> None:
    assert arguments_from([]).parts == list(PARTS)


def test_parts_run_in_their_own_order() -> None:
    options = arguments_from(["live", "costs", "--full"])

    assert (options.parts, options.full, options.write) == (["costs", "live"], True, False)


def test_unknown_part_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as refused:
        arguments_from(["everything"])

    assert refused.value.code == 2
    assert "there is no part everything: take some of costs, pages" in capsys.readouterr().err


@pytest.mark.parametrize("part", PARTS)
def test_every_part_is_a_module(part: str) -> None:
    assert find_spec(f"tools.bench.{part}")


def test_a_full_run_takes_larger_numbers() -> None:
    assert command_of("live", full=False) == ["-m", "tools.bench.live", "--messages", "50"]
    assert command_of("live", full=True) == ["-m", "tools.bench.live", "--messages", "300"]


def test_lines_of_a_part_that_are_no_figures_are_passed_on(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    figure = '{"name": "a", "value": 1.0, "unit": "ms"}'
    script = f"print('DynamoDB Local: fetching …'); print({figure!r})"
    saved: list[object] = []
    monkeypatch.setattr(command_line, "command_of", lambda part, full: ["-c", script])
    monkeypatch.setattr(results, "save", lambda part, figures, run: saved.extend(figures))

    assert measure("pages", full=False, load=0.0)

    assert len(saved) == 1
    assert "DynamoDB Local: fetching …" in capsys.readouterr().err
