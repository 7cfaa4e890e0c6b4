"""Build the zip of the stream's Lambda function: the modules that it imports and its packages.

The build is reproducible, so that a deployment updates the function only after a change.
"""

from __future__ import annotations

from cruddur.cli import program

if __name__ == "__main__":
    # What follows takes long to import.
    program.watch_for_ctrl_c()

import argparse
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

from cruddur.problem import Problem
from tools.local_stack.installers import unpack
from tools.local_stack.problem import Problem as NotInstalled

ROOT = Path(__file__).resolve().parent.parent
LOCK = ROOT / "deploy" / "requirements-lambda.lock"
MODULE = "messaging.stream.lambda_handler"
LIST_MODULES = f"""
import sys, {MODULE}
print(*(module.__file__ for module in list(sys.modules.values()) if getattr(module, "__file__", None)), sep="\\n")
"""
LONG_AGO = (1980, 1, 1, 0, 0, 0)
"""The earliest time that a zip can store."""
READABLE = 0o644 << 16
LEFT_OUT = ("__pycache__", ".dist-info", "bin/", "aws_lambda_powertools/event_handler/")
"""The last one is for HTTP functions and includes a Swagger page: half of the package's size."""


def build(target: Path) -> int:
    """Write the zip; return its size in bytes. Raises Problem when the packages cannot be had."""
    with tempfile.TemporaryDirectory() as directory:
        packages = Path(directory)
        try:
            unpack([LOCK], packages)
        except NotInstalled as problem:
            raise Problem(str(problem)) from problem
        target.parent.mkdir(parents=True, exist_ok=True)
        draft = target.with_suffix(".new")
        with zipfile.ZipFile(draft, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
            for name, file in sorted([*our_modules(), *files_of(packages)]):
                info = zipfile.ZipInfo(name, LONG_AGO)
                info.external_attr = READABLE
                archive.writestr(info, file.read_bytes(), zipfile.ZIP_DEFLATED)
        draft.replace(target)
    return target.stat().st_size


def our_modules() -> Iterator[tuple[str, Path]]:
    """Yield the project's modules that the handler imports, found by importing it."""
    answer = subprocess.run(  # noqa: S603 - our own interpreter
        [sys.executable, "-c", LIST_MODULES], cwd=ROOT, check=True, capture_output=True, text=True
    )
    outside = Path(sys.prefix)
    for line in answer.stdout.splitlines():
        file = Path(line)
        if file.is_relative_to(ROOT) and not file.is_relative_to(outside):
            yield str(file.relative_to(ROOT)), file


def files_of(packages: Path) -> Iterator[tuple[str, Path]]:
    for file in packages.rglob("*"):
        name = str(file.relative_to(packages))
        if file.is_file() and not any(part in name for part in LEFT_OUT):
            yield name, file


def main() -> int:
    """Build the zip that the command line names. Returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("target", type=Path, nargs="?", default=ROOT / "dist" / "stream-lambda.zip")
    path = parser.parse_args().target
    try:
        sys.stdout.write(f"{path}: {build(path):,} bytes, handler {MODULE}.handler\n")
    except Problem as problem:
        sys.stderr.write(f"{problem}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(program.run(main, is_loaded=True))
