"""The packages of `make run`, really installed from an index that has newer releases of all, and the stack started."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import cache
from hashlib import sha256
from pathlib import Path

import pytest
import requests

from tests import html
from tests.run_summary import INSTALLED_WITH
from tests.tools.local_stack.clone import Stack
from tools.local_stack import installers, pip_settings, postgres_home
from tools.local_stack.bootstrap import PRODUCTION, lock_of
from tools.local_stack.installers import ROOT
from tools.local_stack.pins import PUBLIC_INDEX, pins_in

from .package_index import FAR_NEWER, PackageIndex, served, wheel

PROMISED = (11, 12, 13, 14)


def answer_of(python: str | Path, code: str) -> str:
    """Return what Python prints, "" where it does not start."""
    try:
        answer = subprocess.run([str(python), "-c", code], capture_output=True, text=True, check=False)
    except OSError:
        return ""
    return answer.stdout.strip() if answer.returncode == 0 else ""


@cache
def pythons() -> dict[str, str]:
    """Return the promised Pythons that this machine has, one of each minor version: the path by the version."""
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv", "versions")
    found: dict[str, str] = {}
    for minor in PROMISED:
        candidates = [
            sys.executable if sys.version_info[1] == minor else None,
            *map(str, sorted(pyenv.glob(f"3.{minor}.*/bin/python"))),
            shutil.which(f"python3.{minor}"),
            f"/usr/bin/python3.{minor}",
        ]
        for candidate in filter(None, candidates):
            question = "import sys, venv; print('.'.join(map(str, sys.version_info[:3])))"
            version = answer_of(candidate, question)
            if version.startswith(f"3.{minor}."):
                found[version] = candidate
                break
    return found


@pytest.fixture(scope="module")
def newer_index(uv: Path) -> Iterator[PackageIndex]:
    """Serve pip's configured index with an extra, newer, unusable release of each package."""
    with installers.a_pip(Path(sys.prefix)) as command:
        settings = pip_settings.read(command)
    real = settings.get("index-url", PUBLIC_INDEX).rstrip("/")
    index = PackageIndex()

    def with_a_newer_release(path: str) -> bytes | None:
        name = path.strip("/").partition("/")[2]
        page = requests.get(f"{real}/{name}/", timeout=60, headers={"Accept": "text/html"})
        if page.status_code != requests.codes.ok:
            return None
        content = wheel(name.replace("-", "_"), FAR_NEWER, requires=["does-not-exist"])
        file = f"/files/{name.replace('-', '_')}-{FAR_NEWER}-py3-none-any.whl"
        newest = f'<a href="{index.url}{file}#sha256={sha256(content).hexdigest()}">{file[7:]}</a>'
        links = [html.source(link) for link in html.parse(page.text).iterfind(".//a")]
        answer = f'<html><head><base href="{page.url}"></head><body>{"".join(links)}{newest}</body></html>'.encode()
        index.files[path] = answer  # for the other Pythons
        return answer

    index.fallback = with_a_newer_release
    with served(index):
        yield index


@pytest.fixture(scope="module")
def cache_directory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Create uv's cache, empty at first and shared by the Pythons."""
    directory = tmp_path_factory.mktemp("cache")
    yield directory
    shutil.rmtree(directory)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[[Path], Stack]]:
    stacks: list[Stack] = []

    def start(python: Path) -> Stack:
        (tmp_path / "clone").mkdir()
        stacks.append(Stack(tmp_path / "clone", python=python))
        stacks[0].start()
        return stacks[0]

    yield start
    for stack in stacks:
        if stack.process and stack.process.poll() is None:
            stack.process.send_signal(signal.SIGTERM)
            stack.process.wait(10)
        postgres_home.remove(stack.local / "postgres")


@pytest.mark.parametrize("version", pythons())
def test_fresh_install_has_what_is_pinned_and_starts(
    newer_index: PackageIndex,
    cache_directory: Path,
    tmp_path: Path,
    start: Callable[[Path], Stack],
    version: str,
    record_property: Callable[[str, object], None],
) -> None:
    venv = tmp_path / "venv"
    environment = {**os.environ, "PIP_INDEX_URL": f"{newer_index.url}/simple", "UV_CACHE_DIR": str(cache_directory)}
    environment |= dict.fromkeys(
        ("NO_PROXY", "no_proxy"), ",".join(filter(None, (os.environ.get("NO_PROXY"), "127.0.0.1")))
    )

    answer = subprocess.run(
        [pythons()[version], "-m", "tools.local_stack.bootstrap", "--venv", str(venv), "local"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )

    assert answer.returncode == 0, answer.stdout + answer.stderr
    pinned = dict(pins_in(ROOT / PRODUCTION) | pins_in(ROOT / lock_of("local")))
    installed = [
        each.name.removesuffix(".dist-info").split("-") for each in venv.glob("lib/*/site-packages/*.dist-info")
    ]
    assert len(installed) > len(pinned) / 2
    assert {pinned[re.sub(r"[._]", "-", name).lower()] == number for name, number in installed} == {True}
    stack = start(venv / "bin" / "python")
    assert requests.get(stack.url, timeout=60).status_code == requests.codes.ok
    record_property(INSTALLED_WITH, version)


@pytest.mark.skipif(not os.environ.get("CI"), reason="a developer's machine need not have two Pythons")
def test_more_than_one_python_is_tried() -> None:
    assert len(pythons()) > 1, "install another of the promised Pythons, see .ci/run"
