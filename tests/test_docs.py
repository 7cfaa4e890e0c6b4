"""The documents tell the truth where that can be checked: names, commands, settings, links."""

import json
import re
import tomllib
from pathlib import Path

import pytest
from django.core.management import get_commands

from cruddur.cli.command_line import own_commands
from cruddur.cli.command_reference import reference
from messaging.dynamodb.table_definition import INDEXES

ROOT = Path(__file__).parents[1]
DOCUMENTS = [
    *sorted(ROOT.glob("*.md")),
    *sorted((ROOT / "docs").rglob("*.md")),
    *sorted((ROOT / "tools").glob("*/README.md")),
]
IDS = [str(document.relative_to(ROOT)) for document in DOCUMENTS]

COMMANDS = (ROOT / "docs" / "commands.md").read_text()
DATA_MODEL = (ROOT / "docs" / "data-model.md").read_text()
SETTINGS = (ROOT / "docs" / "settings.md").read_text()
MAKE_TARGETS = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
DEPENDENCIES = (ROOT / "docs" / "dependencies.md").read_text()
EXAMPLE = (ROOT / ".env.example").read_text()
USED_BY = {
    # Tables and progress.
    "rich": {"cruddur/cli/terminal.py", "messaging/management/layout.py", "messaging/management/shard_table.py"},
    # Writes that met another transaction; scans; what commands ask of DynamoDB.
    "tenacity": {"messaging/dynamodb/retry.py"},
    # Cognito's token endpoint and signing keys.
    "requests": {"users/cognito/oidc.py", "users/cognito/signing_keys.py"},
}
"""The modules of the site that import a package whose reason in docs/dependencies.md names where it is used."""


def section(document: str, heading: str) -> str:
    """Return the text under a heading of the second level."""
    return document.split(f"\n## {heading}\n")[1].split("\n## ", maxsplit=1)[0]


def first_cells(text: str) -> list[str]:
    """Return the first column of the tables in a text, without their headings."""
    return [line.split("|")[1].strip() for line in text.splitlines() if re.match(r"\| (?!-{3}|command|variable)", line)]


def code_names(text: str) -> set[str]:
    return set(re.findall(r"`([A-Za-z_-]+)`", text))


def anchors(document: Path) -> set[str]:
    """Return the fragments of a document's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", document.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("document", DOCUMENTS, ids=IDS)
def test_every_make_target_that_is_named_exists(document: Path) -> None:
    named = set(re.findall(r"(?:^|`)make ([a-z-]+)", document.read_text(), re.MULTILINE))

    assert named <= MAKE_TARGETS


@pytest.mark.parametrize("document", DOCUMENTS, ids=IDS)
def test_every_manage_command_that_is_named_exists(document: Path) -> None:
    named = set(re.findall(r"manage\.py ([a-z_]+)", document.read_text()))

    assert named <= get_commands().keys()


@pytest.mark.parametrize("document", DOCUMENTS, ids=IDS)
def test_every_relative_link_leads_somewhere(document: Path) -> None:
    for link in re.findall(r"\]\((?!https?:)([^)]+)\)", document.read_text()):
        path, _, fragment = link.partition("#")
        target = document.parent / path if path else document

        assert target.exists(), link
        assert not fragment or fragment in anchors(target), link


@pytest.mark.parametrize(("document", "directory"), [("defects", "tests"), ("promises", "tests/messaging")])
def test_every_test_file_that_a_list_names_exists(document: str, directory: str) -> None:
    named = re.findall(r"`((?:\w+/)+test_\w+)`", (ROOT / "docs" / f"{document}.md").read_text())

    assert named
    assert [name for name in named if not (ROOT / directory / f"{name}.py").is_file()] == []


def test_reference_lists_every_command_of_the_project() -> None:
    listed = code_names(" ".join(first_cells(section(COMMANDS, "All commands"))))

    assert own_commands().keys() <= listed
    assert listed <= get_commands().keys()


def test_reference_is_up_to_date() -> None:
    assert reference() == COMMANDS, "run `make docs`"


def test_every_old_script_has_its_command() -> None:
    named = set(re.findall(r"^\| `([^` ]+)", section(reference(), "Instead of the old scripts"), re.MULTILINE))

    assert named == {
        "cognito/list-users", "db/connect", "db/create", "db/drop", "db/schema-load", "db/seed", "db/sessions",
        "db/setup", "db/update_cognito_user_ids", "ddb/drop", "ddb/drop-sdk", "ddb/list-tables", "ddb/list-tables-sdk",
        "ddb/patterns/get-conversation", "ddb/patterns/list-conversations", "ddb/scan", "ddb/schema-load", "ddb/seed",
        "the",
    }  # fmt: skip


def test_documented_settings_are_explained_in_the_example() -> None:
    named = code_names(" ".join(first_cells(SETTINGS)))

    assert "SECRET_KEY" in named
    assert named <= set(re.findall(r"^#([A-Z_]+)=", EXAMPLE, re.MULTILINE))


def test_every_setting_that_is_read_is_explained_in_the_example() -> None:
    source = (ROOT / "cruddur" / "settings.py").read_text()
    read = set(re.findall(r'env\.\w+\(\s*"([A-Z_]+)"', source))

    assert "SECRET_KEY" in read
    assert read <= set(re.findall(r"\b[A-Z_]+\b", EXAMPLE))


def test_data_model_describes_the_indexes_as_they_are() -> None:
    rows = {line.split("`")[1]: line for line in DATA_MODEL.splitlines() if re.match(r"\| `[a-z-]+-index`", line)}

    assert rows.keys() == INDEXES.keys()
    for name, index in INDEXES.items():
        keys = [each["AttributeName"] for each in index["KeySchema"]]
        projected = index["Projection"].get("NonKeyAttributes", [])
        assert code_names(rows[name]) == {name, *keys, *projected}


def test_architecture_names_packages_that_exist() -> None:
    named = first_cells(section((ROOT / "docs" / "architecture.md").read_text(), "The packages"))
    paths = [path for cell in named for path in re.findall(r"`(\w+)`", cell)]

    assert "messaging" in paths
    assert [path for path in paths if not (ROOT / path).is_dir()] == []


def test_architecture_names_areas_of_scripts_that_exist() -> None:
    table = section((ROOT / "docs" / "architecture.md").read_text(), "In the browser")
    named = {cell.strip("`") for cell in first_cells(table) if re.fullmatch(r"`[a-z-]+`", cell)}
    areas = {path.name for path in (ROOT / "static" / "js").iterdir() if path.is_dir()}

    assert "outbox" in named
    assert named == areas - {"shared"}


def test_every_package_that_is_named_and_no_other_has_its_reason() -> None:
    """Only direct dependencies of pyproject.toml, requirements/ and the script checks need a reason."""
    tables = re.findall(r"^\| package \|.+\n\| ---.+\n((?:\|.+\n)+)", DEPENDENCIES, re.MULTILINE)
    documented = [line.split("|")[1].strip() for table in tables for line in table.splitlines()]
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    groups = [project["project"]["dependencies"], *project["dependency-groups"].values()]
    files = [file.read_text().splitlines() for file in (ROOT / "requirements").glob("*.txt")]
    packages = {re.split(r"[\[=]", each)[0] for group in [*groups, *files] for each in group if "==" in each}
    scripts = json.loads((ROOT / "tools" / "lint" / "package.json").read_text())["devDependencies"]

    assert sorted(documented) == sorted(packages | set(scripts))


@pytest.mark.parametrize(("package", "modules"), USED_BY.items())
def test_a_package_is_used_where_its_reason_says(package: str, modules: set[str]) -> None:
    importing = {
        str(path.relative_to(ROOT))
        for part in ("cruddur", "users", "messaging", "moderation", "legacy_import")
        for path in (ROOT / part).rglob("*.py")
        if re.search(rf"^\s*(?:from|import) {package}\b", path.read_text(), re.MULTILINE)
    }

    assert importing == modules, f"put right what docs/dependencies.md says {package} is for, and USED_BY"


def test_the_number_of_test_processes_is_that_of_make_test() -> None:
    said = re.search(r"\| pytest-xdist \| tests on (\w+) processes", DEPENDENCIES)
    run = re.search(r"^test: .*\n.*--numprocesses (\d)", (ROOT / "Makefile").read_text(), re.MULTILINE)

    assert said
    assert run
    assert {"two": "2", "three": "3", "four": "4"}[said[1]] == run[1]
