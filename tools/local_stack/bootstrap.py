"""Install what the locks pin into a virtualenv; needs nothing but Python itself.

    python -m tools.local_stack.bootstrap local test                            production and two groups, into .venv
    python -m tools.local_stack.bootstrap --venv .venv/bench local test bench   the same with a third, beside it
    python -m tools.local_stack.bootstrap --venv .venv/audit --only audit       requirements/audit.lock and nothing else

A group is a `[dependency-groups]` of pyproject.toml; its lock is requirements/GROUP.lock. The last line is for tools
with conflicting packages: requirements/audit.txt names them and `make pins` writes the lock. Groups can be added one
after another: installed ones stay. After an interrupted run the next one completes the installation.
"""

from __future__ import annotations

from cruddur.cli import program

if __name__ == "__main__":
    # What follows takes long to import.
    program.watch_for_ctrl_c()

import argparse
import fcntl
import hashlib
import json
import os
import pwd
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from .installers import ROOT, Failure, free_megabytes, installer_choices, problem_of, succeeds
from .problem import Problem
from .terminal import complain, say

PRODUCTION = Path("requirements.lock")
ELSEWHERE = {"deploy": Path("deploy/requirements-lambda.lock")}
"""Locks that are not requirements/GROUP.lock."""
NEEDED_MEGABYTES = {"requirements": 250, "local": 250, "test": 300, "lint": 400, "bench": 200}
"""Free space required at the beginning, by the stem of a lock; 50 for others."""


def main() -> int:
    """Install, and return the exit code. Foreseeable failures print one sentence and return 1."""
    parser = argparse.ArgumentParser(prog="tools.local_stack.bootstrap", description=__doc__)
    parser.add_argument("--venv", type=Path, default=Path(".venv"), help="where to install; made if it is not there")
    parser.add_argument("--only", action="store_true", help="leave out what runs in production")
    parser.add_argument("group", nargs="*", help="a lock of requirements/")
    options = parser.parse_args()
    os.chdir(ROOT)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda signum, frame: sys.exit(128 + signum))
    try:
        prepare(options.venv, locks_of(options.group, only=options.only))
    except Problem as problem:
        complain(str(problem))
        return 1
    except PermissionError as error:
        complain(f"{error.filename} may not be written by this user: give it to this user.")
        return 1
    return 0


def locks_of(groups: Sequence[str], *, only: bool) -> list[Path]:
    """Return the locks of these groups and of production. Raises Problem for a group that has none."""
    locks = [] if only else [PRODUCTION]
    locks += map(lock_of, groups)
    for lock in locks:
        if not lock.is_file():
            raise Problem(f"There is no {lock}: run `make pins` to write it.")
    return locks


def lock_of(group: str) -> Path:
    """Return the file that pins a group, or a tool."""
    return ELSEWHERE.get(group, Path("requirements", f"{group}.lock"))


def prepare(venv: Path, locks: Sequence[Path]) -> None:
    """Bring the virtualenv up to date with these locks. Raises Problem for what can be foreseen."""
    if is_up_to_date(venv, locks):
        return
    # One lock for all virtualenvs: they share uv.
    with PRODUCTION.open() as file:
        os.set_inheritable(file.fileno(), True)  # an installer may outlive a killed make, and two must not install
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("Another make installs the packages at the moment, waiting for it …")
            fcntl.flock(file, fcntl.LOCK_EX)
        if not is_up_to_date(venv, locks):
            install(venv, locks)


def install(venv: Path, locks: Sequence[Path]) -> None:
    """Install these locks, beside those that were installed before."""
    refuse_what_is_not_ours(venv)
    refuse_a_full_disk(venv, locks)
    before = [Path(each) for each in installed(venv) if Path(each).is_file()]
    wanted = [*dict.fromkeys([*locks, *before])]
    if not works(venv):
        make(venv)
    failure = None
    with installer_choices(venv) as installers:
        for installer in installers:
            if interrupted(venv).exists():
                make(venv)
            say(f"Installing {', '.join(map(str, wanted))} into {venv} with {installer.name} …")
            try:
                with noting_an_interruption(venv):
                    installer.sync(venv, wanted)
            except Failure as error:
                # Report the failure that names the cause: without retries pip does not mention the network.
                failure = failure if failure and failure.is_of_the_network() else error
                say(f"{error.shown()}\n{installer.name} could not install the packages.")
            else:
                draft = stamp(venv).with_suffix(".new")
                draft.write_text(json.dumps({str(lock): digest(lock) for lock in wanted}, indent=1))
                draft.replace(stamp(venv))
                say("The packages are installed.")
                return
    raise problem_of(failure or Failure("no installer"))


@contextmanager
def noting_an_interruption(venv: Path) -> Iterator[None]:
    """Leave a mark if the packages may be incomplete at the end: the next run begins with an empty virtualenv.

    An installer that fails before it has touched a package, for want of a network, leaves what worked before.
    """
    interrupted(venv).touch()
    before = packages(venv)
    try:
        yield
    except (Failure, Problem):
        if packages(venv) == before:
            interrupted(venv).unlink()
        raise
    interrupted(venv).unlink()


def make(venv: Path) -> None:
    """Make an empty virtualenv, with the Python that this one stems from. Raises Problem."""
    python = str(getattr(sys, "_base_executable", sys.executable))
    say(f"Making the virtualenv {venv} with {python} …")
    for directory in ("bin", "lib"):  # keep its neighbours: uv and its cache, other virtualenvs
        shutil.rmtree(venv / directory, ignore_errors=True)
    stamp(venv).unlink(missing_ok=True)
    answer = subprocess.run(
        [python, "-m", "venv", "--without-pip", str(venv)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
        text=True,
        check=False,
    )
    if answer.returncode or not works(venv):
        text = answer.stdout.strip()
        if "No space left" in text:
            raise Problem(f"The disk of {ROOT} is full: free some space and run make again.")
        raise Problem(
            f"{text}\nThe virtualenv could not be made: put right what the lines above say and run make again."
        )
    interrupted(venv).unlink(missing_ok=True)


def refuse_what_is_not_ours(venv: Path) -> None:
    """Raise Problem when this user may not write the virtualenv, or not make it."""
    there = next(each for each in (venv, *venv.absolute().parents) if each.exists())
    places = [there, *venv.glob("bin"), *venv.glob("lib/*/site-packages")]
    for place in places:
        if not os.access(place, os.W_OK | os.X_OK):
            raise Problem(
                f"{place} belongs to {owner(place)} and may not be written by this user: "
                f"{'delete it' if there == venv else 'use a clone of your own'}, or give it to this user."
            )


def refuse_a_full_disk(venv: Path, locks: Sequence[Path]) -> None:
    """Raise Problem when what is to be installed will not fit."""
    there = installed(venv)
    needed = sum(NEEDED_MEGABYTES.get(lock.stem, 50) for lock in locks if str(lock) not in there)
    free = free_megabytes(venv)
    if free < needed:
        raise Problem(
            f"The disk of {venv.absolute()} is full ({free} MB left, {needed} MB needed for the packages): "
            "free some space and run make again."
        )


def owner(path: Path) -> str:
    """Return the name of a file's owner, or the number where it has no name."""
    number = path.stat().st_uid
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return f"user {number}"


def works(venv: Path) -> bool:
    """Return whether the virtualenv's Python starts, is new enough and finds the packages, and its scripts find it."""
    # After an upgrade of the system's Python, the packages remain in the old version's directory.
    question = (
        "import os, sys, sysconfig; sys.exit(sys.version_info < (3, 11) or sys.prefix == sys.base_prefix"
        " or not os.path.isdir(sysconfig.get_path('purelib')))"
    )
    return was_made_here(venv) and succeeds([str(venv / "bin" / "python"), "-c", question])


def was_made_here(venv: Path) -> bool:
    """Return whether the virtualenv was made where it is: the scripts in a copied or moved one name the old place."""
    try:
        lines = (venv / "pyvenv.cfg").read_text(errors="replace").splitlines()
    except OSError:
        return False
    commands = [line for line in lines if line.startswith("command = ")]
    here = os.path.abspath(venv)  # noqa: PTH100 - as the module venv writes it
    return all(command.endswith(f" {here}") for command in commands)


def is_up_to_date(venv: Path, locks: Sequence[Path]) -> bool:
    """Return whether these locks are installed as they are now."""
    there = installed(venv)
    is_whole = not interrupted(venv).exists() and all(there.get(str(lock)) == digest(lock) for lock in locks)
    return is_whole and works(venv)


def installed(venv: Path) -> dict[str, str]:
    """Return the locks that were installed, with a hash of each as it was then."""
    try:
        there = json.loads(stamp(venv).read_text())
    except (OSError, ValueError):
        return {}
    return there if isinstance(there, dict) else {}


def packages(venv: Path) -> set[str]:
    """Return the names of what is in the virtualenv's site-packages."""
    return {str(each) for each in venv.glob("lib/*/site-packages/*")}


def stamp(venv: Path) -> Path:
    """Return the file that says what is installed; it is written last."""
    return venv / "installed"


def interrupted(venv: Path) -> Path:
    """Return the file that is there while packages are installed, and stays if that was interrupted."""
    return venv / "installing"


def digest(lock: Path) -> str:
    """Return a hash of a lock."""
    return hashlib.sha256(lock.read_bytes()).hexdigest()


if __name__ == "__main__":
    # Its output is only informative: it continues if nobody reads it.
    sys.exit(program.run(main, needs_output=False, is_loaded=True))
