"""The two programs that can install locked packages: uv, or pip if uv is not available.

Neither chooses versions. A lock has one version of each package with the hashes of its files, and only these are
installed, whatever else an index has. The locks are requirements files and not `uv.lock`, because that names an index;
this way the index in pip's configuration is used.
"""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Protocol

from . import pip_settings
from .problem import Problem
from .terminal import say

ROOT = Path(__file__).resolve().parents[2]
UV_LOCK = Path("requirements/installer.lock")
"""The version of uv, with the hashes of its wheels for all platforms."""
LINES_SHOWN = 8
LINES_KEPT = 40
SHOWN = ("Collecting ", "Downloading ", "Installing ", "Prepared ", "Installed ")
"""Prefixes of pip's and uv's progress lines."""
FULL = ("No space left", "os error 28", "os error 122", "quota exceeded")
FULL_MEGABYTES = 200
"""After an installer reports a full disk, disks with less free space than this count as full."""
FOREVER = (
    (
        ("Permission denied", "os error 13"),
        "Some files belong to another user: delete {venv}, or give it to this user, and run make again.",
    ),
    (
        ("Hash mismatch", "DO NOT MATCH THE HASHES", "do not match any allowed hash"),
        "A package is not the file that was pinned: if you changed the requirements, run `make pins` first.",
    ),
)
"""Failures that the other installer would share: words of the output, and a sentence that says what to do."""
NO_NETWORK = (
    "NewConnectionError", "Max retries", "ConnectTimeout", "ReadTimeout", "error sending request", "tcp connect",
    "dns error", "Connection",
)  # fmt: skip
NETWORK_SENTENCE = (
    "The package index did not answer: check the network, and the index and proxy that pip is configured with, and run "
    "make again, it goes on where it stopped."
)

OTHER_SENTENCE = "The packages could not be installed: put right what the lines above say and run make again."
MEGABYTE = 1024 * 1024


class Failure(Exception):
    """An installer failed, but the other one may succeed; the text is the end of its output."""

    def shown(self) -> str:
        """Return the lines of it that are worth showing."""
        return "\n".join(str(self).splitlines()[-LINES_SHOWN:])

    def is_of_the_network(self) -> bool:
        """Return whether the index could not be reached."""
        return any(word in str(self) for word in NO_NETWORK)


class Installer(Protocol):
    """Installs locked packages. Both methods raise Failure, or Problem if no installer could succeed."""

    name: str

    def sync(self, venv: Path, locks: Sequence[Path]) -> None:
        """Make the virtualenv hold what the locks pin and nothing else."""

    def unpack(self, locks: Sequence[Path], target: Path) -> None:
        """Install what the locks pin into a directory."""


class Uv:
    """uv, by the path of its binary."""

    name = "uv"

    def __init__(self, binary: Path, settings: Mapping[str, str], home: Path) -> None:
        self.binary = binary
        self.options = ["--no-index"] if pip_settings.is_asked_to_use_no_index(settings) else []
        self.environment = with_places(pip_settings.for_uv(settings, os.environ))
        self.environment["UV_CACHE_DIR"] = str(cache_directory(self.environment, home))
        self.environment["UV_PYTHON_DOWNLOADS"] = "never"

    def sync(self, venv: Path, locks: Sequence[Path]) -> None:
        self.pip("sync", "--python", str(venv / "bin" / "python"), *map(str, locks), venv=venv)

    def unpack(self, locks: Sequence[Path], target: Path) -> None:
        files = [argument for lock in locks for argument in ("-r", str(lock))]
        python = ("--python", sys.executable)
        self.pip("install", *python, "--target", str(target), "--no-deps", *files, venv=target)
        (target / ".lock").unlink(missing_ok=True)

    def pip(self, *arguments: str, venv: Path) -> None:
        # Any index may provide the file: the hash verifies it.
        strategy = ("--index-strategy", "unsafe-best-match")
        command = [str(self.binary), "pip", arguments[0], "--require-hashes", "--only-binary", ":all:", *strategy]
        run([*command, *self.options, *arguments[1:]], self.environment, venv)


class Pip:
    """pip of any Python, 22.3 or newer."""

    name = "pip"

    def __init__(self, command: Sequence[str], settings: Mapping[str, str]) -> None:
        self.command = command
        self.environment = with_places(pip_settings.for_pip(settings, os.environ))

    def sync(self, venv: Path, locks: Sequence[Path]) -> None:
        python = str(venv / "bin" / "python")
        self.install("--python", python, "install", locks=locks, venv=venv)
        pinned = {name for lock in locks for name in names_in(lock)}
        if extra := sorted(installed_in(venv) - pinned):
            run([*self.command, "--python", python, "uninstall", "--yes", *extra], self.environment, venv)

    def unpack(self, locks: Sequence[Path], target: Path) -> None:
        self.install("install", "--target", str(target), "--no-compile", locks=locks, venv=target)

    def download(self, lock: Path, target: Path) -> None:
        """Fetch the wheels that a lock pins into a directory. Raises Failure."""
        self.install("download", "--dest", str(target), locks=[lock], venv=target)

    def install(self, *arguments: str, locks: Sequence[Path], venv: Path) -> None:
        files = [argument for lock in locks for argument in ("-r", str(lock))]
        # Without --no-deps pip resolves dependencies of packages with extras to their latest versions.
        run(
            [*self.command, *arguments, "--no-deps", "--require-hashes", "--only-binary", ":all:", *files],
            self.environment,
            venv,
        )


@contextmanager
def installer_choices(venv: Path) -> Iterator[Iterator[Installer]]:
    """Yield the installers to try, one after another: uv first, if it can be had, then pip. Raises Problem."""
    with a_pip(venv) as command:
        settings = pip_settings.read(command)
        pip = Pip(command, settings)

        def choices() -> Iterator[Installer]:
            try:
                binary = uv_binary(venv, pip)
            except Failure as failure:
                if failure.is_of_the_network():
                    raise problem_of(failure) from failure
                say("There is no uv for this machine, or the package index lacks it: pip installs, which takes longer.")
            else:
                yield Uv(binary, settings, outermost(venv))
            yield pip

        yield choices()


@contextmanager
def a_pip(venv: Path) -> Iterator[list[str]]:
    """Yield the command of a pip that is there: this Python's, or one that Python brings along. Raises Problem."""
    pythons = [sys.executable, str(getattr(sys, "_base_executable", sys.executable))]
    for python in pythons:
        if not is_inside(Path(python), venv) and succeeds([python, "-c", "import pip"]):
            yield [python, "-m", "pip"]
            return
    with tempfile.TemporaryDirectory() as directory:
        python = str(Path(directory, "bin", "python"))
        subprocess.run([pythons[-1], "-m", "venv", directory], capture_output=True, check=False)
        if not succeeds([python, "-c", "import pip"]):
            raise Problem(
                f"{pythons[-1]} has no pip, and cannot make one because its module ensurepip is missing: install it "
                "(on Debian and Ubuntu `apt install python3-pip`) or run `make PYTHON=/path/to/another …`."
            )
        yield [python, "-m", "pip"]


def uv_binary(venv: Path, pip: Pip) -> Path:
    """Return the path of uv, which pip fetches the first time and the virtualenv keeps. Raises Failure."""
    lock = ROOT / UV_LOCK
    home = outermost(venv)
    binary = home / f"uv-{sha256(lock.read_bytes()).hexdigest()[:12]}"
    if succeeds([str(binary), "--version"]):
        return binary
    home.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=home) as directory:
        pip.download(lock, Path(directory))
        (wheel,) = Path(directory).glob("uv-*.whl")
        with zipfile.ZipFile(wheel) as archive:
            name = next(each for each in archive.namelist() if each.endswith(".data/scripts/uv"))
            draft = Path(archive.extract(name, directory))
        draft.chmod(draft.stat().st_mode | stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH)
        for old in home.glob("uv-*"):
            old.unlink()
        draft.replace(binary)
    if not succeeds([str(binary), "--version"]):
        raise Failure(f"{binary} does not start on this machine")
    return binary


def outermost(venv: Path) -> Path:
    """Return the virtualenv that this one lies in, or itself: .venv for .venv/bench."""
    return venv.parent if (venv.parent / "pyvenv.cfg").exists() else venv


def cache_directory(environment: Mapping[str, str], home: Path) -> Path:
    """Return where uv may keep what it fetched: its usual place, or in the virtualenv if that is not this user's."""
    usual = environment.get("XDG_CACHE_HOME") or os.path.join(environment.get("HOME") or "/", ".cache")  # noqa: PTH118
    wanted = Path(environment.get("UV_CACHE_DIR") or Path(usual, "uv"))
    there = next(each for each in (wanted, *wanted.absolute().parents) if each.exists())
    # The owner of a home directory could not replace files that root writes there.
    is_ours = "UV_CACHE_DIR" in environment or there.stat().st_uid == os.geteuid()
    return wanted if is_ours and os.access(there, os.W_OK | os.X_OK) else home.absolute() / "cache"


def with_places(environment: dict[str, str]) -> dict[str, str]:
    """Return the environment with a TMPDIR that can be written. Raises Problem when there is none."""
    try:
        return {**environment, "TMPDIR": tempfile.gettempdir()}
    except FileNotFoundError as error:
        raise Problem(
            "No directory for temporary files can be written: set TMPDIR to one, or free some space."
        ) from error


def run(command: Sequence[str], environment: Mapping[str, str], venv: Path) -> None:
    """Run an installer, showing what it fetches, and end it with this process.

    Raises Failure with the last lines of its output, and Problem where they say that no other would succeed.
    """
    tail: list[str] = []
    process = subprocess.Popen(
        command,
        env=dict(environment),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
        text=True,
        errors="replace",
        close_fds=False,  # it inherits the lock: it may outlive a killed make, and two must not install at once
    )
    assert process.stdout is not None  # noqa: S101 - a pipe was asked for
    try:
        for line in process.stdout:
            tail = [*tail[-LINES_KEPT:], line.rstrip()]
            if line.lstrip().startswith(SHOWN):
                say(f"    {line.strip()[:110]}")
        code = process.wait()
    finally:
        if process.poll() is None:
            process.terminate()
            process.wait()
    if code == 0:
        return
    failure = Failure("\n".join(tail))
    if any(word in str(failure) for word in FULL):
        raise Problem(f"{failure.shown()}\n{full_disk_sentence(environment, venv)}")
    for words, sentence in FOREVER:
        if any(word in str(failure) for word in words):
            raise Problem(f"{failure.shown()}\n{sentence.format(venv=venv)}")
    raise failure


def full_disk_sentence(environment: Mapping[str, str], venv: Path) -> str:
    """Return what to tell about a full disk, with the directories that may lie on it."""
    places = [str(venv.absolute()), *(environment[name] for name in ("TMPDIR", "UV_CACHE_DIR") if name in environment)]
    full = [place for place in places if free_megabytes(Path(place)) < FULL_MEGABYTES]
    return f"The disk of {' or of '.join(full or places)} is full: free some space and run make again."


def free_megabytes(directory: Path) -> int:
    """Return the free space of the disk that a directory lies on, or would lie on."""
    there = next(each for each in (directory, *directory.absolute().parents) if each.exists())
    return shutil.disk_usage(there).free // MEGABYTE


def problem_of(failure: Failure) -> Problem:
    """Return what to tell when no installer succeeded."""
    sentence = NETWORK_SENTENCE if failure.is_of_the_network() else OTHER_SENTENCE
    return Problem(f"{failure.shown()}\n{sentence}")


def names_in(lock: Path) -> set[str]:
    """Return the names of the packages that a lock pins."""
    return {line.partition("==")[0] for line in lock.read_text().splitlines() if "==" in line and line[:1].isalnum()}


def installed_in(venv: Path) -> set[str]:
    """Return the names of the packages in a virtualenv, as locks write them."""
    found = venv.glob("lib/*/site-packages/*.dist-info")
    return {each.name.partition("-")[0].lower().replace("_", "-").replace(".", "-") for each in found}


def succeeds(command: Sequence[str]) -> bool:
    """Return whether a command can be started and exits with 0."""
    try:
        return subprocess.run(command, capture_output=True, stdin=subprocess.DEVNULL, check=False).returncode == 0
    except OSError:
        return False


def is_inside(python: Path, venv: Path) -> bool:
    """Return whether this Python is the virtualenv's own."""
    return python.absolute().parent.resolve() == (venv / "bin").resolve()


def unpack(locks: Sequence[Path], target: Path) -> None:
    """Install what locks pin into a directory, by the first installer that can. Raises Problem."""
    with installer_choices(Path(sys.prefix)) as installers:
        failure = None
        for installer in installers:
            try:
                return installer.unpack(locks, target)
            except Failure as error:
                failure = error
                for each in target.iterdir():
                    shutil.rmtree(each) if each.is_dir() else each.unlink()
    raise problem_of(failure or Failure("no installer"))
