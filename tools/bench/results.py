"""Store each part's last figures in `.local/bench`: lines of JSON, and a description of the run."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from tools.local_stack.aws import ROOT
from tools.local_stack.environment import local_directory

from .figures import Figure

DIRECTORY = local_directory(ROOT) / "bench"


@dataclass(frozen=True, slots=True)
class Run:
    """When, how and on which machine a part was measured."""

    at: str
    """UTC, ISO 8601."""
    command: str
    seconds: float
    load: float
    """Load average of the minute before the first part: other work, which makes figures worse."""
    machine: dict[str, str]


def save(part: str, figures: Sequence[Figure], run: Run, *, directory: Path = DIRECTORY) -> None:
    """Put them in the place of those of the run before."""
    directory.mkdir(parents=True, exist_ok=True)
    (directory / f"{part}.jsonl").write_text("".join(f"{json.dumps(asdict(each))}\n" for each in figures))
    (directory / f"{part}.run.json").write_text(json.dumps(asdict(run), indent=2) + "\n")


def figures_of(part: str, *, directory: Path = DIRECTORY) -> list[Figure]:
    """Return the figures of the last run; empty if there was none."""
    file = directory / f"{part}.jsonl"
    return [figure_from(line) for line in file.read_text().splitlines()] if file.exists() else []


def run_of(part: str, *, directory: Path = DIRECTORY) -> Run | None:
    file = directory / f"{part}.run.json"
    return Run(**json.loads(file.read_text())) if file.exists() else None


def figure_from(line: str) -> Figure:
    """Parse a line that `--json` wrote. Raises ValueError or TypeError for anything else."""
    return Figure(**json.loads(line))
