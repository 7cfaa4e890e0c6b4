"""`python -m deploy`: what it asks for, refuses and builds. `tests/browser/test_deployed.py` deploys everything."""

from __future__ import annotations

import io
import json
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cruddur.problem import Problem
from deploy import artifacts
from deploy.aws import Account, connect
from deploy.command_line import function_concurrency, main
from deploy.stacks import Stacks
from tools.local_stack.aws import AwsEmulator

NAME = "cruddur-parts"
SERVICES = ("cloudformation", "ecr", "ecs", "lambda", "logs", "s3", "sqs", "sts")
"""What the emulator serves here besides those that it always does, by its names."""
WORKS: dict[str, Any] = {
    "Resources": {"Queue": {"Type": "AWS::SQS::Queue"}},
    "Outputs": {"Url": {"Value": {"Ref": "Queue"}}},
}
# What the emulator takes for a template and cannot make.
FAILS = {"Resources": {"Alarm": {"Type": "AWS::CloudWatch::Alarm", "Properties": {"Metrics": []}}}}
ASKS = {"Parameters": {"Wanted": {"Type": "String"}}, "Resources": WORKS["Resources"]}


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AwsEmulator]:
    """Start a separate emulator with the services that a deployment calls."""
    emulator = AwsEmulator(tmp_path_factory.mktemp("emulator") / "aws", persist=False, services=SERVICES)
    emulator.start()
    yield emulator
    emulator.stop()


@pytest.fixture(autouse=True)
def account(emulator: AwsEmulator, monkeypatch: pytest.MonkeyPatch) -> Account:
    monkeypatch.setenv("AWS_ENDPOINT_URL", emulator.url)  # for the command
    return connect(region="us-east-1", endpoint_url=emulator.url)


@pytest.fixture
def told() -> list[str]:
    return []


@pytest.fixture
def stacks(account: Account, told: list[str], tmp_path: Path) -> Stacks:
    """Return stacks with templates of the test's own."""
    return Stacks(account, f"{NAME}-{tmp_path.name.replace('_', '-')[:40]}", told.append, tmp_path, poll_seconds=0.01)


def write(stacks: Stacks, part: str, template: dict[str, Any]) -> None:
    (stacks.templates / f"{part}.yaml").write_text(json.dumps(template))


def run(*arguments: str) -> int:
    what, *more = arguments
    return main([what, "--name", NAME, "--region", "us-east-1", *more])


def test_failed_stack_is_explained_and_created_again(stacks: Stacks, told: list[str]) -> None:
    write(stacks, "base", FAILS)
    with pytest.raises(Problem, match=f"{stacks.name}-base failed: Alarm: "):
        stacks.bring_up("base", {})

    write(stacks, "base", WORKS)
    stacks.bring_up("base", {})

    assert told[-2:] == ["  base      is being created", "  base      created in 0 s"]
    assert stacks.outputs["Url"].startswith("http")
    stacks.take_down()


def test_added_index_is_an_update(stacks: Stacks, told: list[str]) -> None:
    write(stacks, "base", WORKS)
    stacks.bring_up("base", {})
    write(stacks, "base", {**WORKS, "Resources": {**WORKS["Resources"], "Other": {"Type": "AWS::SQS::Queue"}}})
    stacks.bring_up("base", {})

    assert told[1::2] == ["  base      created in 0 s", "  base      updated in 0 s"]
    stacks.take_down()


def test_an_output_is_a_parameter_of_the_same_name_of_those_that_follow(stacks: Stacks) -> None:
    write(stacks, "base", {**WORKS, "Outputs": {"Wanted": {"Value": "said by base"}}})
    write(stacks, "service", {**ASKS, "Outputs": {"Heard": {"Value": {"Ref": "Wanted"}}}})
    stacks.bring_up("base", {})
    stacks.bring_up("service", {})

    assert stacks.outputs["Heard"] == "said by base"
    stacks.take_down()


def test_the_first_time_it_needs_a_domain_and_a_certificate(capsys: pytest.CaptureFixture[str]) -> None:
    for options in ((), ("--domain", "messages.example.com"), ("--zone", "Z1")):
        assert run("up", *options) == 1
        assert "it needs --domain, and --zone or --certificate" in capsys.readouterr().err


def test_missing_stack_has_no_outputs_and_runs_no_command(capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in (("outputs",), ("manage", "ddb_scan")):
        assert run(*arguments) == 1
        assert f"There is no deployment {NAME}" in capsys.readouterr().err


def test_down_asks_for_confirmation_by_name(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:

    monkeypatch.setattr("sys.stdin", io.StringIO("yes\n"))

    assert run("down") == 1
    assert "Nothing was deleted." in capsys.readouterr().err


def test_ctrl_c_leaves_it_to_be_run_again(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Stacks, "read", interrupt)

    assert run("outputs") == 130
    assert "run it again" in capsys.readouterr().err


def test_without_a_region_it_says_so(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nonexistent")

    assert main(["outputs"]) == 1
    assert "add --region" in capsys.readouterr().err


def test_a_bucket_is_emptied_of_old_versions_and_of_what_was_deleted(account: Account, tmp_path: Path) -> None:
    bucket = f"versions-{tmp_path.name.replace('_', '-')[-30:].strip('-')}"
    account.s3.create_bucket(Bucket=bucket)
    account.s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    for body in (b"one", b"two"):
        account.s3.put_object(Bucket=bucket, Key="kept", Body=body)
        account.s3.put_object(Bucket=bucket, Key="deleted", Body=body)
    account.s3.delete_object(Bucket=bucket, Key="deleted")

    artifacts.empty_bucket(account, bucket)

    found = account.s3.list_object_versions(Bucket=bucket)
    assert not found.get("Versions")
    assert not found.get("DeleteMarkers")
    account.s3.delete_bucket(Bucket=bucket)


@pytest.mark.parametrize(("spare", "reserved"), [(10, 0), (149, 0), (150, 50), (1000, 50)])
def test_it_reserves_for_the_function_what_the_account_can_spare(account: Account, spare: int, reserved: int) -> None:
    class Lambda:
        def get_account_settings(self) -> dict[str, Any]:
            return {"AccountLimit": {"UnreservedConcurrentExecutions": spare}}

    assert function_concurrency(replace(account, functions=Lambda())) == reserved


# --- The image --------------------------------------------------------------------------------------------------------


@pytest.fixture
def clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Create a repository with one commit in place of the project's."""
    for command in (
        ["init", "-q"],
        ["-c", "user.name=a", "-c", "user.email=a@b", "commit", "-q", "--allow-empty", "-m", "a"],
    ):
        subprocess.run(["git", *command], cwd=tmp_path, check=True)
    monkeypatch.setattr(artifacts, "ROOT", tmp_path)
    return tmp_path


@pytest.fixture
def repository(account: Account, tmp_path: Path) -> str:
    made = account.ecr.create_repository(repositoryName=f"images-{tmp_path.name.lower()[-20:].strip('_')}")
    return made["repository"]["repositoryUri"]


def test_it_builds_signs_in_and_pushes_the_commit(
    account: Account,
    clone: Path,
    repository: str,
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    binaries = tmp_path_factory.mktemp("bin")
    docker = binaries / "docker"
    docker.write_text(f'#!/bin/sh\necho "$@" >> {binaries}/said\n[ "$1" != login ] || cat > {binaries}/password\n')
    docker.chmod(0o755)
    monkeypatch.setenv("PATH", f"{binaries}:/usr/bin:/bin")

    uri = artifacts.push_image(account, repository)

    build, login, push = (binaries / "said").read_text().splitlines()
    assert uri.startswith(f"{repository}:")
    assert build == f"build --platform linux/amd64 --build-arg VERSION={uri.rpartition(':')[2]} --tag {uri} {clone}"
    assert login.startswith("login --username AWS --password-stdin")
    assert (binaries / "password").read_text()
    assert push == f"push {uri}"


def test_uncommitted_changes_are_not_built(account: Account, clone: Path, repository: str) -> None:
    (clone / "new").touch()

    with pytest.raises(Problem, match="Something is not committed"):
        artifacts.push_image(account, repository)


def test_without_docker_it_says_what_to_do(
    account: Account, clone: Path, repository: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shutil.which", lambda name: None)

    with pytest.raises(Problem, match="There is no docker"):
        artifacts.push_image(account, repository)
