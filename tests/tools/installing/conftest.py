from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import pytest

from tools.local_stack import installers, pip_settings
from tools.local_stack.installers import ROOT, Failure, Pip
from tools.local_stack.problem import Problem

from .package_index import FAR_NEWER, PackageIndex, served, wheel

INSTALLER = (
    "cruddur/__init__.py", "cruddur/cli/__init__.py", "cruddur/cli/program.py", "cruddur/cli/standard_streams.py",
    "tools/__init__.py", "tools/local_stack/__init__.py", "tools/local_stack/bootstrap.py",
    "tools/local_stack/installers.py", "tools/local_stack/pip_settings.py", "tools/local_stack/problem.py",
    "tools/local_stack/terminal.py",
)  # fmt: skip
"""All that installing needs: it runs where nothing is installed."""


def without_settings(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the environment without what pip, uv and clients of HTTP are told in it."""
    prefixes = ("PIP_", "UV_", "HTTP", "http", "ALL_", "all_", "SSL_", "REQUESTS_", "CURL_", "VIRTUAL_ENV", "XDG_")
    kept = {name: value for name, value in environment.items() if not name.startswith(prefixes)}
    return {**kept, "PIP_CONFIG_FILE": os.devnull, "NO_PROXY": "127.0.0.1"}


class Clone:
    """A directory with the installer and locks of packages that a test made."""

    def __init__(self, root: Path, index: PackageIndex) -> None:
        self.root = root
        self.index = index
        self.home = root.parent / "home"
        self.home.mkdir()
        self.environment = {**without_settings(os.environ), "HOME": str(self.home)}
        self.environment["PIP_INDEX_URL"] = f"{index.url}/simple"
        for name in INSTALLER:
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, root / name)
        self.lock("installer", "uv==9999.0 \\\n    --hash=sha256:" + "0" * 64 + "\n")

    def lock(self, group: str, *lines: str) -> None:
        """Write the lock of a group, or of production."""
        path = self.root / ("requirements.lock" if group == "production" else f"requirements/{group}.lock")
        path.parent.mkdir(exist_ok=True)
        path.write_text("".join(lines))

    def offer_uv(self, uv_wheel: bytes) -> None:
        """Let the index have the uv that is pinned."""
        self.lock("installer", self.index.add("uv", "9999.0", uv_wheel))

    def install(
        self, *groups: str, python: str | Path = sys.executable, within: Sequence[str] = ()
    ) -> subprocess.CompletedProcess[str]:
        """Run the installer, as make does; `within` is a command that runs another with less of something."""
        command = [*within, str(python), "-m", "tools.local_stack.bootstrap", *groups]
        return subprocess.run(
            command, cwd=self.root, env=self.environment, capture_output=True, text=True, check=False, timeout=300
        )

    def installed(self) -> dict[str, str]:
        """Return names and versions of what is in the virtualenv, by its files."""
        found = (self.root / ".venv").glob("lib/*/site-packages/*.dist-info")
        return dict(each.name.removesuffix(".dist-info").split("-", 1) for each in found)


@pytest.fixture
def index() -> Iterator[PackageIndex]:
    with served(PackageIndex()) as index:
        yield index


@pytest.fixture
def clone(tmp_path: Path, index: PackageIndex) -> Clone:
    """Create a clone with three packages for production and one in the group `test`; the index has newer ones.

    beta requires alpha with an extra, and so does pip's old resolver in every version.
    """
    root = tmp_path / "a clone"
    root.mkdir()
    clone = Clone(root, index)
    pins = [
        index.add("alpha", "1.0", requires=['gamma>=1.0; extra == "fast"']),
        index.add("beta", "1.0", requires=["alpha[fast]>=1.0"]),
        index.add("gamma", "1.0"),
    ]
    clone.lock("production", *pins)
    clone.lock("test", index.add("omega", "1.0", requires=["alpha[fast]>=1.0"]))
    index.add("alpha", "2.0", requires=["delta", 'gamma>=2.0; extra == "fast"'])
    for name in ("beta", "gamma", "omega", "delta"):
        index.add(name, "2.0", requires=["alpha[fast]>=2.0"])
    return clone


@pytest.fixture(scope="session")
def uv(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return uv as the installer fetches it from the index that this machine's pip is configured with."""
    venv = Path(sys.prefix)
    try:
        with installers.a_pip(venv) as command:
            return installers.uv_binary(venv, Pip(command, pip_settings.read(command)))
    except (Failure, Problem) as error:
        message = f"These tests need the package index, which did not answer: {str(error).splitlines()[-1]}"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)


@pytest.fixture(scope="session")
def uv_wheel(uv: Path) -> bytes:
    return wheel("uv", "9999.0", files={"uv-9999.0.data/scripts/uv": uv.read_bytes()})


PythonWithPip = Callable[[str], Path]


@pytest.fixture
def python_with_pip(tmp_path: Path, uv: Path) -> PythonWithPip:
    """Make a virtualenv with a version of pip from the real index, "" for the newest; returns its Python."""

    def make(version: str) -> Path:
        venv = tmp_path / "pip"
        subprocess.run([str(uv), "venv", "--quiet", "--python", sys.executable, str(venv)], check=True)
        python = venv / "bin" / "python"
        with installers.a_pip(venv) as command:
            environment = pip_settings.for_uv(pip_settings.read(command), os.environ)
        what = f"pip=={version}" if version else f"pip<{FAR_NEWER}"  # the index may be one of made-up newer releases
        command = [
            str(uv),
            "pip",
            "install",
            "--quiet",
            "--index-strategy",
            "unsafe-best-match",
            "--python",
            str(python),
        ]
        subprocess.run([*command, what], env=environment, check=True)
        return python

    return make
