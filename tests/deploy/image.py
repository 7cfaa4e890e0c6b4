"""The image without an engine: the files that the Dockerfile copies, what it runs on them, what it starts."""

from __future__ import annotations

import json
import re
import shutil
import sys
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]


@cache
def instructions() -> list[tuple[str, str]]:
    """Return the Dockerfile's instructions with their arguments, each on one line, without comments."""
    text = re.sub(r"^#.*\n", "", (ROOT / "Dockerfile").read_text(), flags=re.MULTILINE)
    lines = re.sub(r"\\\n\s*", "", text).splitlines()
    return [(name, arguments) for name, _, arguments in (line.partition(" ") for line in lines if line.strip())]


def stage(wanted: str) -> list[tuple[str, str]]:
    """Return the instructions of one stage."""
    found, inside = list[tuple[str, str]](), False
    for name, arguments in instructions():
        if name == "FROM":
            inside = arguments.endswith(f" AS {wanted}")
        if inside:
            found.append((name, arguments))
    return found


def only(name: str) -> str:
    """Return the arguments of the only such instruction in the stage that becomes the image."""
    (arguments,) = [arguments for instruction, arguments in stage("app") if instruction == name]
    return arguments


def copied(*stages: str) -> list[str]:
    """Return the paths that stages copy from the project."""
    return [
        source
        for each in stages
        for name, arguments in stage(each)
        if name == "COPY" and not arguments.startswith("--from")
        for source in arguments.split()[:-1]
    ]


def command(*, host: str = "127.0.0.1", port: int) -> list[str]:
    """Return the container's default command, with another address."""
    replaced = {"python": sys.executable, "0.0.0.0": host, "8000": str(port)}  # noqa: S104 - looked for, not listened at
    return [replaced.get(each, each) for each in json.loads(only("CMD"))]


def build(target: Path, *, static: Path) -> Path:
    """Build the image's directory /app; `static` is the output of its collectstatic, which takes seconds."""
    for name in copied("build"):
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, target / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, target / name)
    (target / "staticfiles").symlink_to(static)
    return target


def collecting() -> str:
    """Return the Dockerfile's command that collects static files, for this machine's Python."""
    (script,) = [arguments for name, arguments in instructions() if name == "RUN" and "collectstatic" in arguments]
    return script.partition("&&")[0].replace("/venv/bin/python", sys.executable)


def files(directory: Path) -> dict[str, int]:
    """Return every file with its modification time, to check that nothing was written."""
    return {str(file.relative_to(directory)): file.stat().st_mtime_ns for file in sorted(directory.rglob("*"))}
