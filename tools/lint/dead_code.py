"""Find code that nothing uses, or that only tests use: `python -m tools.lint.dead_code`.

vulture finds it. tools/lint/dead_code.toml lists the names that Django, pytest and other libraries look up, with the
reason; a name there that is no longer needed fails as well.
"""

from __future__ import annotations

from cruddur.cli import program

if __name__ == "__main__":
    # What follows takes long to import.
    program.watch_for_ctrl_c()

import argparse
import ast
import re
import sys
import tomllib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ALLOWED = Path(__file__).with_suffix(".toml")
SITE = ("cruddur", "users", "messaging", "moderation", "legacy_import")
TOOLS = ("deploy", "tools")
TESTS = "tests"
EXCLUDED = ["*/migrations/*", "*/node_modules/*"]
CONFIDENCE = 60
DECORATORS = ["@pytest.fixture", "@rule", "@register", "@register.*", "@admin.*"]
"""Decorators of functions that a framework calls."""


@dataclass(frozen=True, slots=True)
class Unused:
    """A definition that nothing refers to."""

    file: str
    line: int
    kind: str
    name: str


@dataclass(frozen=True, slots=True)
class Allowed:
    """A pattern of names that are used from outside our Python code, in matching files."""

    name: str
    files: tuple[str, ...]

    def covers(self, unused: Unused) -> bool:
        return fnmatchcase(unused.name, self.name) and any(fnmatchcase(unused.file, each) for each in self.files)


def main() -> int:
    """Print what is unused; return 1 if anything is."""
    argparse.ArgumentParser(prog="tools.lint.dead_code", description=__doc__).parse_args()
    allowed = list(read_allowed(ALLOWED.read_text(encoding="utf-8")))
    folders = [name for name in (*SITE, *TOOLS) if (ROOT / name).is_dir()]
    anywhere = find_unused([*folders, TESTS])
    without_tests = find_unused(folders)
    in_tests_only = without_tests - anywhere
    complaints = [
        *(f"{describe(each)} is unused" for each in reported(anywhere, allowed)),
        *(f"{describe(each)} is used by tests only: move it there" for each in reported(in_tests_only, allowed)),
        *(f"{ALLOWED.name}: {each.name} is not needed: remove it" for each in stale(anywhere | without_tests, allowed)),
    ]
    sys.stdout.write("".join(f"{each}\n" for each in complaints))
    return 1 if complaints else 0


def find_unused(folders: Sequence[str]) -> set[Unused]:
    """Return what vulture finds in these folders, read together, that no template and no dotted path names."""
    from vulture import Vulture  # noqa: PLC0415 - installed for `make lint` alone

    vulture = Vulture(ignore_decorators=DECORATORS)
    vulture.scavenge([str(ROOT / name) for name in folders], exclude=EXCLUDED)
    named = names_in_templates(path.read_text(encoding="utf-8") for path in (ROOT / "templates").rglob("*.html"))
    for name in folders:
        for path in (ROOT / name).rglob("*.py"):
            if "node_modules" not in path.parts:
                tree = ast.parse(path.read_text(encoding="utf-8"))
                named |= names_in_dotted_paths(tree) | names_of_fixtures(tree)
    return {
        Unused(str(Path(item.filename).relative_to(ROOT)), item.first_lineno, item.typ, item.name)
        for item in vulture.get_unused_code(min_confidence=CONFIDENCE)
        if item.name not in named
    }


def names_in_templates(templates: Iterable[str]) -> set[str]:
    """Return every identifier inside the tags and variables of Django's templates."""
    tags = (tag for text in templates for tag in re.findall(r"\{[{%](.*?)[%}]\}", text, re.DOTALL))
    return {name for tag in tags for name in re.findall(r"[A-Za-z_]\w*", tag)}


def names_in_dotted_paths(tree: ast.AST) -> set[str]:
    """Return the last name of every string that is a dotted path into the project, as in settings.MIDDLEWARE."""
    inside = re.compile(rf"(?:{'|'.join((*SITE, *TOOLS, TESTS))})(?:\.\w+)+")
    strings = (node.value for node in ast.walk(tree) if isinstance(node, ast.Constant))
    return {text.rpartition(".")[2] for text in strings if isinstance(text, str) and inside.fullmatch(text)}


def names_of_fixtures(tree: ast.AST) -> set[str]:
    """Return the names of pytest's fixtures: an argument asks for one by its name, used in the body or not."""
    return {
        node.name
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef)
        and any(ast.unparse(each).startswith("pytest.fixture") for each in node.decorator_list)
    }


def read_allowed(text: str) -> Iterator[Allowed]:
    """Yield the patterns of the list of exceptions."""
    for group in tomllib.loads(text)["allowed"]:
        if not group["why"].strip():
            raise ValueError("an exception needs a reason")
        yield from (Allowed(name, tuple(group.get("files", ["*"]))) for name in group["names"])


def reported(found: Iterable[Unused], allowed: Sequence[Allowed]) -> list[Unused]:
    """Return what no pattern covers, by file and line."""
    rest = [each for each in found if not any(one.covers(each) for one in allowed)]
    return sorted(rest, key=lambda each: (each.file, each.line, each.name))


def stale(found: Iterable[Unused], allowed: Sequence[Allowed]) -> list[Allowed]:
    """Return the patterns that cover nothing."""
    every = list(found)
    return [one for one in allowed if not any(one.covers(each) for each in every)]


def describe(unused: Unused) -> str:
    return f"{unused.file}:{unused.line}: {unused.kind} {unused.name}"


if __name__ == "__main__":
    sys.exit(program.run(main, needs_output=False, is_loaded=True))
