"""Pin every package after pyproject.toml or requirements/*.txt changed, or check the locks with `--check`.

pyproject.toml names the packages with their versions. `uv.lock` is made from it and also pins their dependencies, for
all platforms and Pythons. The installed locks (tools/local_stack/installers.py says why) and requirements.txt are made
from `uv.lock`. Each requirements/*.txt gets a separate lock. Unknown options are passed to uv:
`make pins ARGS="--upgrade-package django"`. Needs only Python itself.
"""

from __future__ import annotations

from cruddur.cli import program

if __name__ == "__main__":
    # What follows takes long to import.
    program.watch_for_ctrl_c()

import argparse
import os
import re
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from . import pip_settings
from .bootstrap import PRODUCTION, lock_of
from .installers import ROOT, Failure, Pip, a_pip, cache_directory, outermost, problem_of, uv_binary
from .problem import Problem
from .terminal import complain, say

PUBLIC_INDEX = "https://pypi.org/simple"
"""The index named in uv.lock, the same on every machine."""
REQUIREMENTS = Path("requirements.txt")
HEADING = """\
# What runs in production; `make pins` writes it from pyproject.toml. docs/dependencies.md says why each is here, and
# requirements.lock pins what they need, too.
"""
OLDEST = "3.11"
AGAIN = "run `make pins`"


def main() -> int:
    """Pin or check the packages and return the exit code. Foreseeable failures print one sentence and return 1."""
    parser = argparse.ArgumentParser(prog="tools.local_stack.pins", description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing, fail where something would change")
    parser.add_argument("--venv", type=Path, default=Path(sys.prefix), help="where uv is kept")
    options, further = parser.parse_known_args()
    os.chdir(ROOT)
    try:
        uv = Uv(options.venv)
        if options.check:
            check(uv)
        else:
            pin(uv, further)
    except Problem as problem:
        complain(str(problem))
        return 1
    return 0


class Uv:
    """uv as a resolver. It gets pip's certificates and proxies, but not its index, which would end up in uv.lock."""

    def __init__(self, venv: Path) -> None:
        with a_pip(venv) as command:
            settings = pip_settings.read(command)
            try:
                self.binary = uv_binary(venv, Pip(command, settings))
            except Failure as failure:
                raise problem_of(failure) from failure
        self.environment = {name: value for name, value in os.environ.items() if not name.startswith("UV_")}
        self.environment |= pip_settings.connections(settings, os.environ)
        self.environment["UV_CACHE_DIR"] = str(cache_directory(dict(os.environ), outermost(venv)))
        self.environment["UV_PYTHON_DOWNLOADS"] = "never"

    def run(self, *arguments: str) -> str:
        """Return what uv prints. Raises Problem with its complaint when it fails."""
        answer = subprocess.run(
            [str(self.binary), *arguments], env=self.environment, capture_output=True, text=True, check=False
        )
        if answer.returncode:
            raise Problem(f"{answer.stderr.strip()}\n`uv {' '.join(arguments[:2])}` failed: see above.")
        return answer.stdout


def pin(uv: Uv, options: Sequence[str]) -> None:
    """Write uv.lock, every other lock, and requirements.txt."""
    before = Path("uv.lock").read_bytes()
    uv.run("lock", "--python", sys.executable, "--default-index", PUBLIC_INDEX, *options)
    if strange := indexes(Path("uv.lock").read_text()) - {PUBLIC_INDEX}:
        Path("uv.lock").write_bytes(before)
        raise Problem(
            f"uv.lock would name the index of this machine ({', '.join(sorted(strange))}): it is left as it was."
        )
    for lock, text in exports(uv):
        lock.write_text(text)
    REQUIREMENTS.write_text(production_requirements())
    for source in tools():
        lock = source.with_suffix(".lock")
        compile_options = (
            "--universal",
            "--python-version",
            OLDEST,
            "--generate-hashes",
            "--no-annotate",
            "--no-header",
        )
        target = ("--output-file", str(lock), "--default-index", PUBLIC_INDEX)
        uv.run("pip", "compile", "--quiet", *compile_options, *target, *options, str(source))
    say("Every package is pinned.")


def check(uv: Uv) -> None:
    """Raise Problem where pyproject.toml, the locks and requirements.txt do not agree. Asks no index."""
    try:
        uv.run("lock", "--check", "--offline", "--no-cache", "--python", sys.executable)
    except Problem as problem:
        raise Problem(f"uv.lock does not pin what pyproject.toml names: {AGAIN}.") from problem
    if indexes(Path("uv.lock").read_text()) != {PUBLIC_INDEX}:
        raise Problem(f"uv.lock names another index than the public one: {AGAIN} where pip has no index of its own.")
    for lock, text in exports(uv):
        if not lock.is_file() or lock.read_text() != text:
            raise Problem(f"{lock} does not pin what uv.lock does: {AGAIN}.")
    if REQUIREMENTS.read_text() != production_requirements():
        raise Problem(f"{REQUIREMENTS} does not name what pyproject.toml does: {AGAIN}.")
    for source in tools():
        lock = source.with_suffix(".lock")
        if not lock.is_file() or not pins_in(source) <= pins_in(lock):
            raise Problem(f"{lock} does not pin what {source} names: {AGAIN}.")


def exports(uv: Uv) -> Iterator[tuple[Path, str]]:
    """Yield the locks that are made from uv.lock, and what is to be in them."""
    options = ("export", "--frozen", "--offline", "--quiet", "--no-annotate", "--no-header", "--no-emit-project")
    with tempfile.TemporaryDirectory() as cache:
        python = ("--python", sys.executable, "--cache-dir", cache)
        yield PRODUCTION, uv.run(*options, *python, "--no-default-groups")
        for group in project()["dependency-groups"]:
            yield lock_of(group), uv.run(*options, *python, "--only-group", group)


def project() -> dict[str, Any]:
    """Return pyproject.toml."""
    return tomllib.loads(Path("pyproject.toml").read_text())


def production_requirements() -> str:
    """Return the text of requirements.txt."""
    return HEADING + "".join(f"{each}\n" for each in project()["project"]["dependencies"])


def tools() -> list[Path]:
    """Return the files that name the packages of tools in environments of their own."""
    return sorted(Path("requirements").glob("*.txt"))


def pins_in(file: Path) -> set[tuple[str, str]]:
    """Return names and versions of what a file of requirements pins."""
    return set(re.findall(r"^([a-z0-9-]+)(?:\[[^]]+\])?==([^;\s]+)", file.read_text(), re.MULTILINE))


def indexes(lock: str) -> set[str]:
    """Return the indexes that an uv.lock names."""
    return set(re.findall(r'registry = "([^"]+)"', lock))


if __name__ == "__main__":
    sys.exit(program.run(main, needs_output=False, is_loaded=True))
