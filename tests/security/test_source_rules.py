"""What the source may not do: rules that a reader would have to look for in every file."""

from __future__ import annotations

import ast
import re
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("cruddur", "users", "messaging", "moderation", "legacy_import")
"""What runs in production."""
SOURCES = [
    path
    for package in PACKAGES
    for path in sorted((ROOT / package).rglob("*.py"))
    if "migrations" not in path.parts  # which Django writes, and which run once
]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
MARKS_SAFE = {
    "cruddur/templatetags/assets.py",  # the import map: names of our own files
    "cruddur/templatetags/fragments.py",  # what a template that escapes has rendered
    "messaging/templatetags/components.py",  # names a type
}
RANDOM = {
    "cruddur/postgres/housekeeping.py": "when a process tidies up",
    "messaging/dynamodb/table.py": "a pause before the next try",
    "messaging/realtime/endpoint.py": "when a stream ends",
    "messaging/realtime/hub.py": "when pages compare themselves",
    "messaging/management/commands/ddb_seed.py": "invented texts",
    "messaging/dynamodb/retry.py": "a pause before the next try",
    "messaging/operations/synthetic.py": "invented texts",
    "users/synthetic.py": "invented people",
}
"""Who may use random numbers that can be foretold, and what for. Keys and ids come from `secrets` and `uuid4`."""
AWS_CLIENTS = {"messaging/dynamodb/client.py", "users/cognito/client.py"}
OUR_OWN_NAMES = {
    "cruddur/postgres/housekeeping.py": ("statement",),  # tables and columns of our models
    "messaging/realtime/bus/postgres.py": ("CHANNEL", "channel"),  # a constant, or random hexadecimal digits
}
"""Variables that never contain user input, used where SQL takes no parameter."""
SECRETS = re.compile(
    r"AKIA(?!\w*EXAMPLE)[0-9A-Z]{16}|-----BEGIN (?:RSA |EC |OPENSSH |ENCRYPTED )?PRIVATE KEY|gh[pousr]_[A-Za-z0-9]{36}|"
    r"xox[abprs]-[A-Za-z0-9-]{10,}|aws_secret_access_key\s*=\s*[A-Za-z0-9/+]{40}\b"
)


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def imported(tree: ast.AST) -> Iterator[str]:
    """Yield the modules that are imported, and what is taken from them."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (each.name for each in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            yield node.module
            yield from (f"{node.module}.{each.name}" for each in node.names)


def who_imports(*modules: str) -> set[str]:
    """Return the files that import one of these modules, or something in one."""
    return {
        name_of(path)
        for path in SOURCES
        for each in imported(ast.parse(path.read_text()))
        if any(each == module or each.startswith(f"{module}.") for module in modules)
    }


def runs_code(tree: ast.AST) -> list[int]:
    """Return the lines that run a text as code or as a command, or make objects of bytes."""
    named = {"eval", "exec", "compile", "__import__"}
    found = [
        node.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and (
            (isinstance(node.func, ast.Name) and node.func.id in named)
            or (isinstance(node.func, ast.Attribute) and node.func.attr in {"system", "popen", "unsafe_load"})
        )
    ]
    modules = {"pickle", "marshal", "shelve", "subprocess", "yaml", "pty", "dill", "xml", "lxml"}
    return [*found, *(0 for each in imported(tree) if each.split(".")[0] in modules)]


def built_sql(tree: ast.AST, file: str = "") -> list[int]:
    """Return the lines whose SQL is neither a constant nor composed by psycopg, which quotes."""
    found = []
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute) or not node.args:
            continue
        if node.func.attr not in {"execute", "executemany", "raw", "extra"}:
            continue
        if not _is_fixed(node.args[0], OUR_OWN_NAMES.get(file, ())):
            found.append(node.lineno)
    return found


def _is_fixed(sql: ast.expr, allowed: tuple[str, ...]) -> bool:
    match sql:
        case ast.Constant() | ast.Starred():
            return True
        case ast.Name(id=name):
            return name.isupper() or name in allowed
        case ast.Call(func=ast.Attribute(attr="as_string")):
            return True
        case ast.JoinedStr(values=values):
            held = [each.value for each in values if isinstance(each, ast.FormattedValue)]
            return all(isinstance(each, ast.Name) and each.id in allowed for each in held)
    return False


def test_no_text_is_run_as_code_or_command_and_no_object_is_made_of_bytes() -> None:
    found = {name_of(path): runs_code(ast.parse(path.read_text())) for path in SOURCES}

    assert len(found) > 200
    assert {name: lines for name, lines in found.items() if lines} == {}


def test_no_value_is_built_into_sql() -> None:
    found = {name_of(path): built_sql(ast.parse(path.read_text()), name_of(path)) for path in SOURCES}

    assert {name: lines for name, lines in found.items() if lines} == {}


@pytest.mark.parametrize(
    "source",
    [
        "eval(text)", "import pickle", "from subprocess import run", "os.system(text)", "import yaml",
    ],
)  # fmt: skip
def test_the_rule_finds_what_runs_code(source: str) -> None:
    assert runs_code(ast.parse(source))


@pytest.mark.parametrize(
    "source",
    [
        "cursor.execute(f'SELECT {name}')", "cursor.execute('SELECT %s' % name)", "User.objects.raw('SELECT ' + name)",
        "cursor.execute(statement)",
    ],
)  # fmt: skip
def test_the_rule_finds_sql_with_values_in_it(source: str) -> None:
    assert built_sql(ast.parse(source))


def test_markup_is_declared_safe_in_known_places_alone() -> None:
    marking = {
        name_of(path)
        for path in SOURCES
        if re.search(r"\b(?:mark_safe|SafeString|SafeText|safestring)\b", path.read_text())
    }

    assert marking == MARKS_SAFE
    for template in [*(ROOT / "templates").rglob("*"), *ROOT.glob("*/templates/**/*")]:
        if template.is_file():
            assert not re.search(r"\|\s*safe\b|\|\s*safeseq\b|autoescape\s+off", template.read_text()), template


def test_random_numbers_that_can_be_foretold_decide_nothing_that_matters() -> None:
    assert who_imports("random") == RANDOM.keys()


def test_aws_is_called_by_its_clients_alone() -> None:
    assert who_imports("boto3", "botocore") == AWS_CLIENTS


def test_no_secret_is_committed() -> None:
    tracked = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout.split(b"\0")

    assert len(tracked) > 500
    for name in filter(None, tracked):
        path = ROOT / name.decode()
        if path.is_file():
            found = SECRETS.search(path.read_bytes().decode(errors="replace"))
            assert found is None, f"{path}: {found}"
            assert path.name not in {".env", "env", "credentials", "id_rsa"}, path


def test_the_checks_that_the_code_passes_are_on() -> None:
    """ruff with its rules from bandit, strict types, and warnings that fail a test."""
    assert {"S", "BLE", "T20"} <= set(PROJECT["tool"]["ruff"]["lint"]["select"])
    assert not [each for each in PROJECT["tool"]["ruff"]["lint"]["ignore"] if each.startswith("S")]
    assert PROJECT["tool"]["mypy"]["strict"] is True
    assert PROJECT["tool"]["pytest"]["ini_options"]["filterwarnings"][0] == "error"
