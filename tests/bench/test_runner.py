from __future__ import annotations

from importlib.util import find_spec

import pytest

from bench.command_line import PARTS, arguments_from, command_of


def test_it_runs_everything_when_nothing_is_named() -> None:
    assert arguments_from([]).parts == list(PARTS)


def test_parts_run_in_their_own_order() -> None:
    options = arguments_from(["live", "costs", "--full"])

    assert (options.parts, options.full, options.write) == (["costs", "live"], True, False)


def test_it_refuses_a_part_that_there_is_not(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as refused:
        arguments_from(["everything"])

    assert refused.value.code == 2
    assert "there is no part everything: take some of costs, pages" in capsys.readouterr().err


@pytest.mark.parametrize("part", PARTS)
def test_every_part_is_a_module(part: str) -> None:
    assert find_spec(f"bench.{part}")


def test_a_full_run_takes_larger_numbers() -> None:
    assert command_of("live", full=False) == ["-m", "bench.live", "--messages", "50"]
    assert command_of("live", full=True) == ["-m", "bench.live", "--messages", "300"]
