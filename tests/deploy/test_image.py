"""The image, as far as it can be tried without an engine."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from . import image

ROOT = Path(__file__).parents[2]


def test_image_copies_only_what_dockerignore_allows() -> None:
    let_in = {line.removeprefix("!") for line in (ROOT / ".dockerignore").read_text().splitlines() if line[:1] == "!"}

    assert all((ROOT / name).exists() for name in let_in)
    assert set(image.copied("build", "local")) == let_in


def test_default_build_target_is_the_production_image() -> None:
    assert image.instructions()[-1] == ("FROM", "app")
    assert "tools" not in image.copied("build", "app")


@pytest.mark.slow
def test_image_collects_static_files_with_its_own_files(tmp_path: Path) -> None:
    """Not written here: a run takes seconds, and the same is done for the tests of the browsers."""
    static, app = tmp_path / "static", tmp_path / "app"
    static.mkdir()
    app.mkdir()
    image.build(app, static=static)

    done = subprocess.run(  # noqa: S602 - the Dockerfile's own
        image.collecting().replace("collectstatic", "collectstatic --dry-run"), shell=True, cwd=app,
        env={"PATH": "/usr/bin:/bin", "PYTHONDONTWRITEBYTECODE": "1"}, capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert done.returncode == 0, done.stderr


def test_it_starts_uvicorn_so_that_streams_end_and_headers_are_left_to_the_settings() -> None:
    command = json.loads(image.only("CMD"))

    assert command[:4] == ["python", "-m", "uvicorn", "cruddur.asgi:application"]
    assert "--no-proxy-headers" in command
    assert command[command.index("--lifespan") + 1] == "on"
    assert 0 < int(command[command.index("--timeout-graceful-shutdown") + 1]) < 60


def test_image_installs_packages_by_hash() -> None:
    install = next(arguments for name, arguments in image.instructions() if name == "RUN" and "pip" in arguments)

    assert "--require-hashes" in install
    assert "--no-deps" in install
    assert "requirements.lock" in image.copied("build")


def test_health_check_of_image_asks_only_the_process() -> None:
    assert "/healthz" in image.only("HEALTHCHECK")


@pytest.mark.slow
def test_health_check_of_image_bypasses_proxies() -> None:
    command = json.loads(image.only("HEALTHCHECK").rpartition(" CMD ")[2])
    asked = list[str]()

    class Site(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(200 if len(asked) == 1 else 503)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Site) as site:
        threading.Thread(target=site.serve_forever).start()
        words = [sys.executable, *(word.replace("8000", str(site.server_port)) for word in command[1:])]
        environment = {"PATH": os.environ["PATH"], "http_proxy": "http://127.0.0.1:1"}
        ends = [subprocess.run(words, env=environment, check=False).returncode for _ in range(2)]
        site.shutdown()

    assert (ends, asked) == ([0, 1], ["/healthz", "/healthz"])
