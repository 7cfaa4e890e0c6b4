"""Code that skips membership checks is for operators' commands, never for views."""

from __future__ import annotations

import ast
from pathlib import Path

ROOT = Path(__file__).parents[3]


def test_only_commands_import_what_does_not_check_membership() -> None:
    importing = [
        path for path in ROOT.glob("[cmu]*/**/*.py") if "messaging.operations.inspection" in set(imports(path))
    ]

    assert importing
    assert {path.parent.name for path in importing} == {"commands"}


def imports(path: Path) -> list[str]:
    """Return the full names of the modules that a module imports, at its top or anywhere in it."""
    package = path.relative_to(ROOT).parent.parts
    found: list[str] = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else ()
            module = ".".join((*above, *filter(None, [node.module])))
            found += [module, *(f"{module}.{alias.name}" for alias in node.names)]
    return found
