from __future__ import annotations

from pathlib import Path

import pytest

from tools.bench import report, results
from tools.bench.figures import Figure

RUN = results.Run(
    "2026-11-21T20:00:00+00:00", "python -m tools.bench.live --messages 5", 61.2, 0.4, {"processor": "Some"}
)
ANSWER = Figure("live/1 open/answer/p50", 4.0, "ms")
FIGURES = [
    ANSWER,
    Figure("live/1 open/heard/p50", 5.0, "ms").against(ANSWER),
    Figure("live/1 open/heard/p95", 9.0, "ms"),
    Figure("live/memory/a stream", 22.0, "KB"),
]


@pytest.fixture
def measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Write figures of the part `live` only."""
    results.save("live", FIGURES, RUN, directory=tmp_path)
    for each in ("figures_of", "run_of"):
        function = getattr(results, each)
        monkeypatch.setattr(results, each, lambda part, function=function: function(part, directory=tmp_path))


def block(marker: str, text: str) -> str:
    return f"Before.\n\n<!-- bench: {marker} -->\n{text}\n<!-- end -->\n\nAfter.\n"


@pytest.mark.usefixtures("measured")
def test_it_writes_a_line_a_figure() -> None:
    written = report.written(block("list live live/1 open", "\nold\n"))

    assert written == block(
        "list live live/1 open",
        """
| | | beside | |
| --- | --- | --- | --- |
| answer/p50 | 4 ms |  |  |
| heard/p50 | 5 ms | 4 ms (answer/p50) | 1.25 x |
| heard/p95 | 9 ms |  |  |
""",
    )


@pytest.mark.usefixtures("measured")
def test_it_writes_a_line_a_group() -> None:
    written = report.written(block("grid live live/1 open", "old"))

    assert written == block(
        "grid live live/1 open",
        """
| | p50 | p95 |
| --- | --- | --- |
| answer | 4 ms |  |
| heard | 5 ms (1.25 x) | 9 ms |
""",
    )


@pytest.mark.usefixtures("measured")
def test_where_the_last_word_is_always_the_same_the_one_before_makes_the_columns() -> None:
    written = report.written(block("grid live live/ with p50", ""))

    assert "| | answer | heard |\n| --- | --- | --- |\n| 1 open | 4 ms | 5 ms (1.25 x) |" in written


@pytest.mark.usefixtures("measured")
def test_unwanted_figures_are_left_out() -> None:
    written = report.written(block("list live live/ without live/1,live/2", ""))

    assert "memory" in written
    assert "answer" not in written


@pytest.mark.usefixtures("measured")
def test_writing_it_again_changes_nothing() -> None:
    document = block("grid live", "") + block("command live", "") + block("machine live", "")
    once = report.written(document)

    assert "python -m tools.bench.live --messages 5" in once
    assert "| processor | Some |" in once
    assert report.written(once) == once


@pytest.mark.usefixtures("measured")
def test_missing_measurement_keeps_the_old_figure() -> None:
    document = block("grid costs costs", "| what was found before |")

    assert report.written(document) == document


def test_unknown_kind_of_table_is_refused() -> None:
    with pytest.raises(SystemExit, match="pie"):
        report.written(block("pie live", ""))


def test_saved_checkpoint_is_read_back(tmp_path: Path) -> None:
    results.save("live", FIGURES, RUN, directory=tmp_path)

    assert results.figures_of("live", directory=tmp_path) == FIGURES
    assert results.run_of("live", directory=tmp_path) == RUN
    assert results.figures_of("costs", directory=tmp_path) == []
