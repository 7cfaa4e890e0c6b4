"""A lock, requirements.txt and pyproject.toml that do not agree fail `make lint`."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tools.local_stack import pins
from tools.local_stack.bootstrap import PRODUCTION, lock_of
from tools.local_stack.installers import ROOT
from tools.local_stack.problem import Problem


@pytest.fixture
def resolver(uv: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> pins.Uv:
    """Return uv in a directory with all the files that pin packages."""
    for name in ("pyproject.toml", "uv.lock", "requirements.txt", "requirements.lock"):
        shutil.copyfile(ROOT / name, tmp_path / name)
    shutil.copytree(ROOT / "requirements", tmp_path / "requirements")
    (tmp_path / "deploy").mkdir()
    shutil.copyfile(ROOT / "deploy/requirements-lambda.lock", tmp_path / "deploy/requirements-lambda.lock")
    monkeypatch.chdir(tmp_path)
    return pins.Uv(uv.parent)


def test_committed_locks_agree(resolver: pins.Uv) -> None:
    pins.check(resolver)


@pytest.mark.parametrize(
    ("file", "before", "after", "named"),
    [
        ("pyproject.toml", '"rich==', '"rich>=', "uv.lock"),
        ("pyproject.toml", "[pool]", "", "uv.lock"),
        ("requirements.txt", "psycopg[binary,pool]", "psycopg", "requirements.txt"),
        ("requirements.lock", "sha256:", "sha256:0", "requirements.lock"),
        ("requirements/test.lock", "pytest==", "pytest==0", "requirements/test.lock"),
        ("deploy/requirements-lambda.lock", "tenacity==", "tenacity==0", "requirements-lambda.lock"),
        ("requirements/installer.txt", "uv==", "uv==9", "requirements/installer.lock"),
        ("uv.lock", "https://pypi.org/", "https://mirror.example/", "uv.lock"),
    ],
)
def test_file_that_disagrees_is_named(resolver: pins.Uv, file: str, before: str, after: str, named: str) -> None:
    text = Path(file).read_text()
    before = "[binary,pool]" if before == "[pool]" else before
    assert before in text
    Path(file).write_text(text.replace(before, after))

    with pytest.raises(Problem, match="run `make pins`") as raised:
        pins.check(resolver)

    assert named in str(raised.value)


def test_requirements_txt_names_production_with_exact_versions_of_the_lock() -> None:
    lines = [line for line in (ROOT / "requirements.txt").read_text().splitlines() if not line.startswith("#")]

    assert "psycopg[binary,pool]" in [line.partition("==")[0] for line in lines]
    assert all(re.fullmatch(r"[a-z0-9-]+(\[[a-z,]+\])?==[0-9][^;\s]*", line) for line in lines)
    assert pins.pins_in(ROOT / "requirements.txt") <= pins.pins_in(ROOT / PRODUCTION)


def test_every_lock_has_hashes_and_no_address() -> None:
    locks = [ROOT / PRODUCTION, ROOT / lock_of("deploy"), *(ROOT / "requirements").glob("*.lock")]

    for lock in locks:
        text = lock.read_text()
        packages = re.findall(r"^[a-z0-9][^ ]*==.+\\\n    --hash=sha256:[0-9a-f]{64}", text, re.MULTILINE)
        assert len(packages) == len(re.findall(r"^[^ ]", text, re.MULTILINE)) > 0, lock
        assert "://" not in text


def test_running_installs_no_tool_of_tests_or_checks() -> None:
    """79 packages where `make run` used to install all of them: three quarters of the download were tools."""
    # `make test` tells a make that it starts of itself, in variables and in what that prints.
    command = ["make", "--no-print-directory", "--dry-run", "--always-make", "packages-run"]
    recipe = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    groups = recipe[recipe.index("tools.local_stack.bootstrap") + 3 :]
    installed = {name for lock in (PRODUCTION, *map(lock_of, groups)) for name, _ in pins.pins_in(ROOT / lock)}
    named = pins.project()["dependency-groups"]
    tools = {re.split(r"[\[=]", package)[0] for group in ("test", "lint", "bench") for package in named[group]}

    assert groups == ["local"]
    assert len(tools) > 15
    assert installed & (tools - {"pyyaml"}) == set(), "ministack brings pyyaml"
    assert len(installed) < 100


def test_packages_that_the_project_promises_are_there() -> None:
    project = pins.project()
    named = " ".join([*project["project"]["dependencies"], *project["dependency-groups"]["test"]])

    for package in ("django==", "boto3==", "django-environ==", "psycopg[binary,", "mozilla-django-oidc==",
                    "pytest-django==", "moto["):  # fmt: skip
        assert package in named
