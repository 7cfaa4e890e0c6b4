"""Every start of uvicorn leaves the headers of proxies to the settings, as the image does.

By default uvicorn believes X-Forwarded-For of whoever connects from this machine, and then a forged one passes the
limit of sign-ins.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FILES = [
    path
    for top in sorted(ROOT.iterdir())
    if not top.name.startswith(".") and top.name != "staticfiles"
    for path in ([top] if top.is_file() else sorted(top.rglob("*")))
    if path.is_file() and "node_modules" not in path.parts
]


def starts() -> Iterator[tuple[str, bool]]:
    """Yield each place where uvicorn is started, and whether it ignores proxy headers there."""
    for path in FILES:
        name = str(path.relative_to(ROOT))
        if name.endswith(".py"):
            yield from ((name, well) for well in starts_in(ast.parse(path.read_text(encoding="utf-8"))))
        elif name.endswith((".md", ".yaml", ".yml", ".sh")) or path.name in {"Dockerfile", "Makefile"}:
            text = path.read_text(encoding="utf-8").replace("\\\n", " ")
            yield from ((name, "--no-proxy-headers" in line) for line in text.splitlines() if is_start(line))


def is_start(line: str) -> bool:
    return re.search(r'uvicorn"?,? "?cruddur', line) is not None


def starts_in(tree: ast.AST) -> Iterator[bool]:
    for node in ast.walk(tree):
        if isinstance(node, ast.List | ast.Tuple | ast.Call):
            parts = node.args if isinstance(node, ast.Call) else node.elts
            words = [each.value for each in parts if isinstance(each, ast.Constant)]
            if "-m" in words and "uvicorn" in words and any(str(word).startswith("--") for word in words):
                yield "--no-proxy-headers" in words
        if isinstance(node, ast.Call) and ast.unparse(node.func) in {"uvicorn.Config", "uvicorn.run"}:
            yield any(
                each.arg == "proxy_headers" and isinstance(each.value, ast.Constant) and each.value.value is False
                for each in node.keywords
            )


def test_every_start_of_uvicorn_is_found() -> None:
    found = {name for name, _ in starts()}

    assert {"Dockerfile", "tools/bench/stack.py", "docs/local-stack.md", "tests/browser/conftest.py"} <= found
    assert any(name.endswith("django_processes.py") for name in found)


@pytest.mark.parametrize(("name", "leaves_headers_alone"), [*starts()])
def test_uvicorn_trusts_no_proxy_headers(name: str, leaves_headers_alone: bool) -> None:
    assert leaves_headers_alone, name
