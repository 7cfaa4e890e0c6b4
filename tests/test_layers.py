"""Imports run one way, and what the Lambda shares with the worker knows no Django."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize(
    "module", ["messaging.stream.lambda_handler", "messaging.stream.consumer", "users.cognito.client"]
)
def test_it_imports_without_django(module: str) -> None:
    script = f"import sys, {module}; sys.exit('django' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", script], cwd=ROOT, check=False).returncode == 0


@pytest.mark.parametrize(
    ("package", "above"),
    [
        ("cruddur", {"users", "messaging", "moderation", "legacy_import"}),
        ("users", {"messaging", "moderation", "legacy_import"}),
        ("messaging", {"moderation", "legacy_import"}),
    ],
)
def test_no_package_imports_one_above_it(package: str, above: set[str]) -> None:
    imported = {
        name.partition(".")[0]
        for path in (ROOT / package).rglob("*.py")
        if path.name != "asgi.py"  # puts all parts together
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom) and not node.level
            else []
        )
    }

    assert not imported & above
