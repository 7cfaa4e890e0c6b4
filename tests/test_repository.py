"""The repository is ready to be adopted: its licence, its hooks and its continuous integration say the same things."""

import re
import subprocess
import tomllib
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[1]
MAKEFILE = (ROOT / "Makefile").read_text()
HOOKS = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())
WORKFLOW = yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yml").read_text())
VERBATIM = ("tests/corpora/", "tests/upgrade/releases/", "docs/performance/")
"""Files kept as their authors or their programs made them."""
SECTIONS = ("Added", "Changed", "Deprecated", "Removed", "Fixed", "Security")
BINARY = (".jpg", ".png", ".ico", ".woff2", ".gz", ".zip", ".mo")


def tracked_files() -> list[str]:
    listing = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True)
    return [name for name in listing.stdout.split("\0") if name and (ROOT / name).is_file()]


def test_every_check_of_make_lint_has_a_hook_and_no_hook_checks_anything_else() -> None:
    checks = re.findall(r"^LINTS = (.+)$", MAKEFILE, re.MULTILINE)[0].split()
    hooks = [hook for repository in HOOKS["repos"] for hook in repository["hooks"]]

    assert {hook["id"] for hook in hooks} == set(checks)
    assert all(hook["entry"] == f"make {hook['id']}" for hook in hooks)
    assert all(f"\n{check}: " in MAKEFILE for check in checks)


def test_hooks_run_nothing_from_elsewhere() -> None:
    assert [repository["repo"] for repository in HOOKS["repos"]] == ["local"]
    assert all(hook["language"] == "system" for hook in HOOKS["repos"][0]["hooks"])


def test_the_workflow_runs_the_script_of_every_submission() -> None:
    commands = [step.get("run", "") for step in WORKFLOW["jobs"]["test"]["steps"]]

    assert any("bash .ci/run" in command for command in commands)


def test_the_script_of_every_submission_uses_no_environment_but_its_own() -> None:
    script = (ROOT / ".ci" / "run").read_text()

    assert 'export VENV="$workplace/venv"' in script
    assert ".venv" not in script


def test_the_workflow_looks_for_known_vulnerabilities() -> None:
    commands = [step.get("run", "") for step in WORKFLOW["jobs"]["audit"]["steps"]]

    assert "make audit" in commands


def test_the_workflow_may_only_read() -> None:
    assert WORKFLOW["permissions"] == {"contents": "read"}
    assert all("permissions" not in job for job in WORKFLOW["jobs"].values())


def test_the_code_owners_own_paths_that_exist() -> None:
    lines = (ROOT / ".github" / "CODEOWNERS").read_text().splitlines()
    patterns = [line.split()[0] for line in lines if line and not line.startswith("#")]

    assert "*" in patterns
    assert [pattern for pattern in patterns if pattern != "*" and not (ROOT / pattern.strip("/")).exists()] == []


def test_dependabot_watches_every_folder_with_a_lock_of_scripts() -> None:
    updates = yaml.safe_load((ROOT / ".github" / "dependabot.yml").read_text())["updates"]
    npm = next(update for update in updates if update["package-ecosystem"] == "npm")
    locks = {f"/{Path(name).parent}" for name in tracked_files() if name.endswith("package-lock.json")}

    assert set(npm["directories"]) == locks


def test_the_readme_names_the_licence() -> None:
    assert "[MIT](LICENSE)" in (ROOT / "README.md").read_text()
    assert "the Cruddur Messages authors" in (ROOT / "LICENSE").read_text()


def test_every_version_but_the_next_has_its_day() -> None:
    headings = re.findall(r"^## (.+)$", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)

    assert headings[0] == "[Unreleased]"
    assert all(re.fullmatch(r"\[\d+\.\d+\.\d+\] - \d{4}-\d{2}-\d{2}", heading) for heading in headings[1:])


def test_the_version_of_the_project_is_the_newest_of_the_changelog() -> None:
    versions = re.findall(r"^## \[(\d[\d.]+)\]", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)

    assert tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"] == versions[0]


def test_every_version_has_data_for_the_test_of_upgrades() -> None:
    versions = re.findall(r"^## \[(\d[\d.]+)\]", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    copied = {path.name for path in (ROOT / "tests" / "upgrade" / "releases").iterdir()}

    assert copied == set(versions), "run `make upgrade-data`: CONTRIBUTING.md"


def test_every_version_has_each_section_once_in_the_order_of_keep_a_changelog() -> None:
    for version in (ROOT / "CHANGELOG.md").read_text().split("\n## ")[1:]:
        sections = re.findall(r"^### (.+)$", version, re.MULTILINE)

        assert sections == [each for each in SECTIONS if each in sections], version.partition("\n")[0]


def test_the_script_of_every_submission_does_nothing_twice() -> None:
    """A merge once left a block in the middle of a condition, where bash takes it."""
    lines = (ROOT / ".ci" / "run").read_text().splitlines()
    repeated = {line for line in lines if len(line) > 20 and lines.count(line) > 1}

    assert repeated == set()


def test_every_text_file_is_as_the_editorconfig_says() -> None:
    wrong = []
    for name in tracked_files():
        if name.endswith(BINARY) or name.startswith(VERBATIM):
            continue
        text = (ROOT / name).read_bytes().decode()
        if "\r" in text or (text and not text.endswith("\n")) or re.search(r"[ \t]+$", text, re.MULTILINE):
            wrong.append(name)
        if Path(name).name != "Makefile" and re.search(r"^ *\t", text, re.MULTILINE):
            wrong.append(name)

    assert wrong == []
