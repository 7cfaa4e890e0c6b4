"""Child processes that cannot outlive this one: separate sessions, a parent-death signal, and a pid file."""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

PR_SET_PDEATHSIG = 1  # linux/prctl.h
LINUX = sys.platform.startswith("linux")
# Looked up before any fork: between fork and exec a lookup could deadlock.
_PRCTL = ctypes.CDLL(None).prctl if LINUX else None


@dataclass(frozen=True)
class Account:
    """The operating-system account that a child runs under."""

    name: str
    uid: int
    gid: int


@dataclass(kw_only=True)
class Child:
    """A running part. `stop_signals` are sent one after the other, each with its share of the timeout."""

    name: str
    popen: "subprocess.Popen[bytes]"
    stop_signals: tuple[signal.Signals, ...] = (signal.SIGTERM, signal.SIGKILL)
    log: Path | None = None
    pid_file: Path | None = None

    def is_running(self) -> bool:
        return self.popen.poll() is None


def spawn(
    command: Sequence[str | Path],
    *,
    name: str,
    environment: Mapping[str, str],
    directory: Path,
    account: Account | None = None,
    log: Path | None = None,
    pid_file: Path | None = None,
    pass_fds: Sequence[int] = (),
    stop_signals: tuple[signal.Signals, ...] = (signal.SIGTERM, signal.SIGKILL),
    captured: bool = False,
) -> Child:
    """Start a command in a session of its own, so that Ctrl-C reaches us alone and we decide the order of the end.

    Call it from the main thread: Linux sends the first of `stop_signals` when the *thread* that forked is gone.
    Output goes to the end of `log`, or into a pipe if `captured`, or where ours goes.
    """
    ours = os.getpid()

    def die_with_parent() -> None:
        if _PRCTL is not None:
            _PRCTL(PR_SET_PDEATHSIG, int(stop_signals[0]))
            if os.getppid() != ours:
                os._exit(1)

    stream = log.open("ab") if log else None
    output = stream or (subprocess.PIPE if captured else None)
    try:
        popen = subprocess.Popen(
            [str(part) for part in command],
            cwd=directory,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT if output is not None else None,
            start_new_session=True,
            preexec_fn=die_with_parent,  # noqa: PLW1509 - it makes one system call, looked up beforehand
            pass_fds=pass_fds,
            user=account.uid if account else None,
            group=account.gid if account else None,
            extra_groups=[] if account else None,
        )
    finally:
        if stream:
            stream.close()
    child = Child(name=name, popen=popen, stop_signals=stop_signals, log=log, pid_file=pid_file)
    if pid_file:
        pid_file.write_text(f"{popen.pid} {started_at(popen.pid)}\n")
    return child


def stop(children: Iterable[Child], *, patience: float) -> None:
    """End children together; each has `patience` seconds in all before SIGKILL."""
    stopping = list(children)
    steps = max((len(child.stop_signals) for child in stopping), default=1)
    for step in range(steps):
        for child in stopping:
            if child.is_running():
                number = child.stop_signals[min(step, len(child.stop_signals) - 1)]
                # A killed process cannot stop its children, so kill its process group.
                send(-child.popen.pid if number == signal.SIGKILL else child.popen.pid, number)
        wait_until(lambda: not any(child.is_running() for child in stopping), seconds=patience / max(steps - 1, 1))
    for child in stopping:
        if child.pid_file and not child.is_running():
            child.pid_file.unlink(missing_ok=True)


def end_leftovers(directory: Path, *, patience: float = 3.0) -> list[str]:
    """End what an earlier supervisor left behind, as its pid files tell. Returns the names of what was found."""
    found: dict[Path, int] = {}
    for file in directory.glob("*.pid"):
        number, _, start = file.read_text().strip().partition(" ")
        if number.isdigit() and start and started_at(int(number)) == start:
            found[file] = int(number)
            send(int(number), signal.SIGTERM)
        else:
            file.unlink(missing_ok=True)
    pids = list(found.values())
    if not wait_until(lambda: not any(is_alive(pid) for pid in pids), seconds=patience):
        for pid in pids:
            send(pid, signal.SIGKILL)
        wait_until(lambda: not any(is_alive(pid) for pid in pids), seconds=2)
    for file in found:
        file.unlink(missing_ok=True)
    return [file.stem for file in found]


def wait_until(condition: Callable[[], bool], *, seconds: float, pause: float = 0.01) -> bool:
    """Wait for the condition; return whether it became true in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(pause)
    return True


def started_at(pid: int) -> str:
    """Return a process's start time as the system reports it, to detect reused pids; "" if the process is gone."""
    if LINUX:
        try:
            status = Path(f"/proc/{pid}/stat").read_text()
        except OSError:
            return ""
        fields = status.rpartition(")")[2].split()
        return "" if fields[0] in "ZX" else fields[19]
    answer = subprocess.run(["ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return answer.stdout.strip()


def is_alive(pid: int) -> bool:
    return started_at(pid) != ""


def send(pid: int, number: signal.Signals) -> None:
    """Signal a process that may be gone already."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)


def last_lines(log: Path, count: int = 12) -> str:
    """Return the last lines of a log file, for display."""
    try:
        return "\n".join(log.read_text(errors="replace").splitlines()[-count:])
    except OSError:
        return ""
