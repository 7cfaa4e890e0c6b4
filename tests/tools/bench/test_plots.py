from __future__ import annotations

from pathlib import Path

import pytest

from tools.bench import results
from tools.bench.figures import Figure

pytest.importorskip("matplotlib", reason="`make packages-bench` installs it, in .venv/bench")

from tools.bench import plots

RUN = results.Run("2026-11-21T20:00:00+00:00", "python -m tools.bench.live", 61.2, 0.4, {})
PARTS = {
    "costs": [
        Figure("costs/old/a message, C and E/write units", 9, "write units"),
        Figure("costs/a message, C and E/write units", 10, "write units"),
        Figure("costs/a burst of 100/calls a message", 2.02, "calls"),
    ],
    "live": [
        Figure(f"live/{streams} open/{what}/p50", 20.5, "ms")
        for streams in ("1", "1,000")
        for what in ("heard", "sender's answer")
    ],
}


@pytest.fixture(autouse=True)
def measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Write figures of two parts."""
    for part, figures in PARTS.items():
        results.save(part, figures, RUN, directory=tmp_path)
    read = results.figures_of
    monkeypatch.setattr(results, "figures_of", lambda part: read(part, directory=tmp_path))


@pytest.mark.parametrize("name", PARTS)
def test_the_same_figures_make_the_same_file(name: str, tmp_path: Path) -> None:
    one, other = (plots.draw(name, tmp_path / each) for each in ("one", "other"))

    assert one
    assert other
    assert one.read_bytes() == other.read_bytes()
    assert "20:00" not in one.read_text()


def test_missing_measurement_is_not_drawn(tmp_path: Path) -> None:
    assert plots.draw("growth", tmp_path) is None
    assert not (tmp_path / "growth.svg").exists()
