"""Makes `.venv` and installs the packages, again when requirements changed. Needs nothing but Python itself.

Whatever an interrupted run left is completed by the next one: the stamp is written last.
"""

import fcntl
import hashlib
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VIRTUALENV = Path(".venv")  # relative, so that a clone path with a space works
PYTHON = VIRTUALENV / "bin" / "python"
STAMP = VIRTUALENV / "installed"
LOCK = "requirements-dev.lock"
"""Every package with its version and the hashes of its files: `make pins` writes it from the requirements."""
REQUIREMENTS = (LOCK, "requirements.txt", "requirements-dev.txt", "deploy/requirements-lambda.txt")
NEEDED_MEGABYTES = 700
MEGABYTE = 1024 * 1024
LINES_SHOWN = 8


class Problem(Exception):
    """One sentence that says what to do. (Not the package's own: this module runs as a file.)"""


def main() -> int:
    os.chdir(ROOT)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda signum, frame: sys.exit(128 + signum))
    try:
        prepare()
    except Problem as problem:
        sys.stderr.write(f"{problem}\n")
        return 1
    except PermissionError as error:
        sys.stderr.write(f"{error.filename} may not be written by this user: give it to this user.\n")
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def prepare() -> None:
    """Bring `.venv` up to date. Raises Problem for what can be foreseen."""
    if is_up_to_date():
        return
    # Children inherit the lock: pip may outlive a killed make, and two must not install at once.
    with Path(REQUIREMENTS[0]).open() as lock:
        os.set_inheritable(lock.fileno(), True)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("Another make installs the packages at the moment, waiting for it …")
            fcntl.flock(lock, fcntl.LOCK_EX)
        if not is_up_to_date():
            install()


def install() -> None:
    free = shutil.disk_usage(ROOT).free // MEGABYTE
    if free < NEEDED_MEGABYTES:
        raise Problem(
            f"The disk of {ROOT} is full ({free} MB left, {NEEDED_MEGABYTES} MB needed for the packages): "
            "free some space and run make again."
        )
    if not works():
        say(f"Making the virtualenv .venv with {sys.executable} …")
        code, tail = run([sys.executable, "-m", "venv", "--clear", str(VIRTUALENV)])
        if code != 0 or not works():
            raise Problem(virtualenv_problem(tail))
    say(f"Installing the packages of {LOCK} into .venv, a minute or two …")
    STAMP.unlink(missing_ok=True)
    command = [str(PYTHON), "-m", "pip", "install", "--disable-pip-version-check", "--no-input"]
    code, tail = run([*command, "--require-hashes", "-r", LOCK], progress=True)
    if code != 0:
        raise Problem("{}\n{}".format("\n".join(tail[-LINES_SHOWN:]), packages_problem(tail)))
    draft = STAMP.with_suffix(".new")
    draft.write_text(wanted())
    draft.replace(STAMP)
    say("The packages are installed.")


def virtualenv_problem(tail: list[str]) -> str:
    text = "\n".join(tail)
    if "No space left" in text:
        return f"The disk of {ROOT} is full: free some space and run make again."
    if "ensurepip" in text:
        return (
            f"{sys.executable} cannot make virtualenvs because its module ensurepip is missing: install it "
            "(on Debian and Ubuntu `apt install python3-venv`) or run `make PYTHON=/path/to/another …`."
        )
    return f"{text}\nThe virtualenv could not be made: put right what the lines above say and run make again."


def packages_problem(tail: list[str]) -> str:
    text = "\n".join(tail)
    if "No space left" in text:
        return f"The disk of {ROOT} is full: free some space and run make again."
    if "Connection" in text or "Max retries" in text or "NewConnectionError" in text:
        return "The package index did not answer: check the network and run make again, it goes on where it stopped."
    if "do not match any allowed hash" in text or "DO NOT MATCH THE HASHES" in text:
        return "A package is not the file that was pinned: if you changed the requirements, run `make pins` first."
    return "The packages could not be installed: put right what the lines above say and run make again."


def run(command: list[str], progress: bool = False) -> tuple[int, list[str]]:
    """The exit code and the last lines of a command that ends with us; with `progress`, what it fetches is shown."""
    tail: list[str] = []
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, text=True, close_fds=False
    )
    assert process.stdout is not None  # noqa: S101 - a pipe was asked for
    try:
        for line in process.stdout:
            tail = [*tail[-30:], line.rstrip()]
            if progress and line.startswith(("Collecting ", "Installing ")):
                say(f"    {line.strip()[:110]}")
        return process.wait(), tail
    finally:
        if process.poll() is None:
            process.terminate()
            process.wait()


def works() -> bool:
    """Whether the virtualenv's Python starts, is new enough and has pip."""
    question = "import pip, sys; sys.exit(sys.version_info < (3, 11))"
    try:
        return subprocess.run([str(PYTHON), "-c", question], stderr=subprocess.DEVNULL, check=False).returncode == 0
    except OSError:
        return False


def is_up_to_date() -> bool:
    try:
        return STAMP.read_text() == wanted() and PYTHON.exists()
    except OSError:
        return False


def wanted() -> str:
    """A hash of what is to be installed."""
    digest = hashlib.sha256()
    for name in REQUIREMENTS:
        digest.update(Path(name).read_bytes())
    return digest.hexdigest()


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
