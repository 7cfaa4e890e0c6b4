"""No test asserts how long something takes: on a loaded machine that fails for nothing.

What is promised of time is tested by a clock that the test moves, or by counting. A real clock may only bound how long
a test waits for something that never comes, and then generously.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
FILES = sorted(TESTS.rglob("*.py"))
CLOCKS = {"monotonic", "perf_counter", "process_time", "thread_time", "time"}
CLOCKS |= {f"{name}_ns" for name in CLOCKS}
GENEROUS = 20
"""Seconds that a bound of waiting has at least."""
WAITS = {"wait_for", "timeout", "join", "result", "communicate"}
"""Calls of which an argument is a number of seconds after which they raise, or go on as if nothing had happened."""
BOUNDS = {"timeout", "seconds"}
"""Keywords, and parameters with a default, that say how long something is waited for."""
TELLS_ONLY = {"kills/test_flow.py", "programs.py", "upgrade/release.py"}
"""Files that measure for people, or for the age of data, and assert nothing of it."""
TAKES_NO_TIME = {"key", "summary", "timedelta", "is_silent"}
"""Functions that are given a time and do not fail when it has passed."""


def is_clock(node: ast.AST) -> bool:
    """Return whether the expression reads a real clock."""
    if not isinstance(node, ast.Call) or node.args or node.keywords:
        return False
    match node.func:
        case ast.Name(id=name):
            return name in CLOCKS - {"time"}
        case ast.Attribute(value=ast.Name(id="time"), attr=name):
            return name in CLOCKS
    return False


def asks_a_clock(node: ast.AST) -> bool:
    return any(map(is_clock, ast.walk(node)))


def number_of(node: ast.AST | None) -> float | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, int | float) else None


def measured(tree: ast.AST) -> Iterator[ast.AST]:
    """Yield differences between times, and times that are stored for later."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and any(map(is_clock, node.args)) and ast.unparse(node.func) != "int":
            yield node
        if not isinstance(node, ast.BinOp) or not isinstance(node.op, ast.Sub) or not asks_a_clock(node.left):
            continue
        if number_of(node.right) is None:
            yield node


def asserted(tree: ast.AST) -> Iterator[ast.AST]:
    """Yield assertions about a clock that do not bound a loop."""
    bounds = {id(each) for loop in ast.walk(tree) if isinstance(loop, ast.While) for each in ast.walk(loop)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Assert) and asks_a_clock(node.test) and id(node) not in bounds:
            yield node


def narrow(tree: ast.Module) -> Iterator[ast.AST]:
    """Yield bounds that a loaded machine may exceed."""
    constants = {
        target.id: number_of(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    for node in ast.walk(tree):
        seconds: list[float | None] = []
        match node:
            case ast.BinOp(left=left, op=ast.Add(), right=right) if asks_a_clock(left):
                seconds = [constants.get(right.id) if isinstance(right, ast.Name) else number_of(right)]
            case ast.Call(func=ast.Attribute(attr=name) | ast.Name(id=name)) if name not in TAKES_NO_TIME:
                given = [each.value for each in node.keywords if each.arg in BOUNDS]
                given += node.args if name in WAITS else []
                seconds = [constants.get(each.id) if isinstance(each, ast.Name) else number_of(each) for each in given]
            case ast.FunctionDef(name=name, args=parameters) if name not in TAKES_NO_TIME:
                last = parameters.args[len(parameters.args) - len(parameters.defaults) :]
                defaults = [*zip(last, parameters.defaults, strict=True)]
                defaults += zip(parameters.kwonlyargs, parameters.kw_defaults, strict=True)  # type: ignore[arg-type]
                seconds = [number_of(value) for parameter, value in defaults if parameter.arg in BOUNDS]
        if any(each is not None and 0 < each < GENEROUS for each in seconds):
            yield node


def found_in(source: str, *, tells_only: bool = False) -> list[int]:
    """Return the lines of a test module that assert how long something takes, or wait too short a time."""
    tree = ast.parse(source)
    found = [*asserted(tree), *narrow(tree), *([] if tells_only else measured(tree))]
    return sorted({node.lineno for node in found})  # type: ignore[attr-defined]


@pytest.mark.parametrize("path", FILES, ids=[str(path.relative_to(TESTS)) for path in FILES])
def test_no_test_asserts_how_long_something_takes(path: Path) -> None:
    tells_only = str(path.relative_to(TESTS)) in TELLS_ONLY
    assert found_in(path.read_text(encoding="utf-8"), tells_only=tells_only) == []


@pytest.mark.parametrize(
    "source",
    [
        "began = time.monotonic()\nassert time.monotonic() - began < 2",
        "def stop():\n    return perf_counter() - began",
        "assert time.time() < deadline",
        "deadline = monotonic() + 5\nwhile not done():\n    assert monotonic() < deadline",
        "SECONDS = 5\ndeadline = monotonic() + SECONDS",
        "times.append(time.monotonic())",
        "thread.join(5)",
        "await asyncio.wait_for(task, 1)",
        "process.wait(timeout=1.5)",
        "wait_until(done, seconds=2)",
        "def wait_until(done, seconds=5.0): ...",
        "def wait_until(done, *, seconds=5.0): ...",
    ],
)
def test_assertion_on_elapsed_time_is_found(source: str) -> None:
    assert found_in(source) != []


@pytest.mark.parametrize(
    "source",
    [
        "until = time.monotonic() + 60\nwhile not done():\n    assert time.monotonic() < until",
        "token = sign(exp=int(time.time()) - 120)",
        "thread.join(60)",
        "assert clock.now - began == 2",
        "', '.join(names)",
    ],
)
def test_timeouts_that_only_bound_a_hang_are_allowed(source: str) -> None:
    assert found_in(source) == []
