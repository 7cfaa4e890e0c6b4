"""Programs end with a sentence and 130 whenever Ctrl-C comes."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import textwrap
import time

import pytest

from tests.test_every_command import PROGRAMS

from .test_standard_streams import ROOT, SCRIPT, script, shell

READY = """
import os, runpy, signal, sys
del sys.argv[0]
set_handler = signal.signal
def tell(number, handler):
    before = set_handler(number, handler)
    if number == signal.SIGINT and callable(handler):
        signal.signal = set_handler
        os.write(2, b"ready\\n")
    return before
signal.signal = tell
runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
"""
"""Tells when the program begins to watch for Ctrl-C; before that Python itself answers it."""


def test_ctrl_c_in_a_destructor_is_one_sentence_and_exit_code_130() -> None:
    body = """
    import os, signal, time
    class Slow:
        def __del__(self):
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(0.01)
    slow = Slow()
    del slow
    time.sleep(30)
    """

    answer = script(body.strip())

    assert (answer.returncode, answer.stderr) == (130, b"\nStopped.\n")


def test_a_second_ctrl_c_ends_what_tidies_up_too_slowly() -> None:
    body = """
    import os, signal
    try:
        os.kill(os.getpid(), signal.SIGINT)
    finally:
        os.kill(os.getpid(), signal.SIGINT)
    """

    answer = script(body.strip())

    assert answer.returncode == 130
    assert b"Traceback" not in answer.stderr


def test_a_program_started_to_ignore_ctrl_c_keeps_ignoring_it() -> None:
    ignoring = "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)\n"
    body = "import os, signal; os.kill(os.getpid(), signal.SIGINT); print('on')"

    answer = shell("", "-c", ignoring + SCRIPT.format(body))

    assert (answer.returncode, answer.stdout) == (0, b"on\n")


@pytest.mark.parametrize("name", ["manage", *PROGRAMS])
def test_a_program_watches_for_ctrl_c_before_it_imports_what_takes_long(name: str) -> None:
    body = f"""
    import __future__, collections.abc, runpy, signal, sys
    before = set(sys.modules)
    def watch(number, handler):
        print(sorted(sys.modules.keys() - before))
        sys.exit()
    signal.signal = watch
    runpy.run_module("{name}", run_name="__main__", alter_sys=True)
    """

    answer = shell("", "-c", textwrap.dedent(body))

    modules = {"cruddur", "cruddur.cli", "cruddur.cli.program"} | packages_of(name)
    assert answer.stdout.decode() == f"{sorted(modules)}\n", answer.stderr


def packages_of(name: str) -> set[str]:
    """Return the packages that running a module imports first."""
    is_package = (ROOT / name.replace(".", "/") / "__main__.py").exists()
    parts = name.split(".") if is_package else name.split(".")[:-1]
    return {".".join(parts[: length + 1]) for length in range(len(parts))}


@pytest.mark.slow
@pytest.mark.parametrize("number", range(8))
@pytest.mark.parametrize(
    "program",
    [("manage", "ddb_capacity"), ("deploy", "--help"), ("tools.bench", "--help")],
    ids=["manage", "deploy", "bench"],
)
def test_early_ctrl_c_is_one_sentence_and_exit_code_130(program: tuple[str, ...], number: int) -> None:
    """The moment is drawn from the whole life of the process, and printed."""
    seconds = random.uniform(0.005, 0.9)
    sys.stdout.write(f"Ctrl-C after {seconds:.4f} s\n")
    process = subprocess.Popen(
        [sys.executable, "-c", READY, *program], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    with process:
        assert process.stderr
        assert process.stdout
        assert process.stderr.readline() == b"ready\n"
        time.sleep(seconds)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)

    assert b"Traceback" not in err, err.decode()
    # In the last moment of a process, all of its output written, Python has given its handlers back to the system.
    assert process.returncode in ((0, 130, -signal.SIGINT) if out else (130,))
    if not out:
        assert b"Stopped" in err
