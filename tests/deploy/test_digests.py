"""`make digests` against a registry on loopback: none can be reached from where the tests run."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from cruddur.problem import Problem
from deploy.digests import DOCKER_HUB, FILES, Image, image_from, pin

ROOT = Path(__file__).parents[2]
IMAGES = {
    "library/python:3.11-slim-bookworm", "library/postgres:18", "amazon/dynamodb-local:2.6.1",
}  # fmt: skip


class Registry(ThreadingHTTPServer):
    """Has every image that is asked for; hands out a token for each, as Docker Hub does."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.origin = f"http://127.0.0.1:{self.server_port}"
        self.realm = f"{self.origin}/token"
        self.edition = 1
        self.absent = ""
        self.told: str | None = None
        """The digest that it claims; by default the true one."""
        self.asked: list[str] = []

    def manifest(self, image: str) -> bytes:
        return json.dumps({"image": image, "edition": self.edition}).encode()

    def digest(self, image: str) -> str:
        return f"sha256:{hashlib.sha256(self.manifest(image)).hexdigest()}"


class Handler(BaseHTTPRequestHandler):
    server: Registry

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        if parts.path == "/token":
            (scope,) = parse_qs(parts.query)["scope"]
            self.answer(200, json.dumps({"token": f"for {scope}"}).encode())
            return
        found = re.fullmatch(r"/v2/(.+)/manifests/(.+)", parts.path)
        assert found
        image = f"{found[1]}:{found[2]}"
        if self.headers["Authorization"] != f"Bearer for repository:{found[1]}:pull":
            challenge = f'Bearer realm="{self.server.realm}",service="stub",scope="repository:{found[1]}:pull"'
            self.answer(401, b"", **{"WWW-Authenticate": challenge})
        elif image == self.server.absent:
            self.answer(404, b"")
        else:
            assert "application/vnd.oci.image.index.v1+json" in self.headers["Accept"]
            self.server.asked.append(image)
            told = self.server.digest(image) if self.server.told is None else self.server.told
            self.answer(200, self.server.manifest(image), **{"Docker-Content-Digest": told})

    def answer(self, status: int, body: bytes, **headers: str) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def registry() -> Iterator[Registry]:
    with Registry() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for name in FILES:
        shutil.copy(ROOT / name, tmp_path / name)
    return tmp_path


def without_digests(text: str) -> str:
    return re.sub(r"@sha256:[0-9a-f]{64}", "", text)


@pytest.mark.parametrize(
    ("reference", "image"),
    [
        ("postgres:18", Image(DOCKER_HUB, "library/postgres", "18")),
        ("amazon/dynamodb-local:2.6.1", Image(DOCKER_HUB, "amazon/dynamodb-local", "2.6.1")),
        ("ghcr.io/owner/name:1", Image("https://ghcr.io", "owner/name", "1")),
        ("localhost:5000/name:1", Image("https://localhost:5000", "name", "1")),
    ],
)
def test_reference_names_registry_repository_and_tag(reference: str, image: Image) -> None:
    assert image_from(reference) == image


def test_every_image_gets_the_digest_of_its_manifest_and_nothing_else_changes(
    project: Path, registry: Registry
) -> None:
    before = {name: (project / name).read_text() for name in FILES}

    pin(project, registry=registry.origin)

    assert set(registry.asked) == IMAGES
    assert len(registry.asked) == len(IMAGES), "each image is asked for once"
    for name, text in before.items():
        assert without_digests((project / name).read_text()) == without_digests(text)
    dockerfile, compose = ((project / name).read_text() for name in FILES)
    python = registry.digest("library/python:3.11-slim-bookworm")
    assert dockerfile.count(f"FROM python:3.11-slim-bookworm@{python} AS ") == 2
    assert "\nFROM app AS local\n" in dockerfile
    assert f"    image: postgres:18@{registry.digest('library/postgres:18')}\n" in compose
    assert "  image: cruddur-local\n" in compose


def test_run_again_replaces_digests_by_those_of_today(project: Path, registry: Registry) -> None:
    pin(project, registry=registry.origin)
    once = {name: (project / name).read_text() for name in FILES}
    pin(project, registry=registry.origin)
    assert {name: (project / name).read_text() for name in FILES} == once

    registry.edition = 2
    pin(project, registry=registry.origin)

    compose = (project / "compose.yaml").read_text()
    assert f"postgres:18@{registry.digest('library/postgres:18')}\n" in compose
    assert len(compose) == len(once["compose.yaml"])


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"absent": "library/postgres:18"}, "it answered 404"),
        ({"told": f"sha256:{'0' * 64}"}, "what it sent is not what its digest says"),
        ({"realm": "http://evil.example/token"}, "it does not say where to get a token"),
    ],
)
def test_unreliable_snapshot_repairs_nothing(
    project: Path, registry: Registry, change: dict[str, str], sentence: str
) -> None:
    before = {name: (project / name).read_text() for name in FILES}
    for name, value in change.items():
        setattr(registry, name, value)

    with pytest.raises(Problem, match=sentence):
        pin(project, registry=registry.origin)

    assert {name: (project / name).read_text() for name in FILES} == before


@pytest.mark.slow
def test_command_says_in_a_sentence_what_does_not_answer(project: Path, registry: Registry) -> None:
    command = [sys.executable, "-m", "deploy.digests", "--root", str(project), "--registry"]
    done = subprocess.run([*command, registry.origin], cwd=ROOT, capture_output=True, text=True, check=False)
    away = subprocess.run([*command, "http://127.0.0.1:9"], cwd=ROOT, capture_output=True, text=True, check=False)

    assert (done.returncode, done.stdout.count("@sha256:")) == (0, len(IMAGES))
    assert away.returncode == 1
    assert away.stderr.count("\n") == 1
    assert "it does not answer. Nothing was changed." in away.stderr
