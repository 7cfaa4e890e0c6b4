"""What `make` promises about installing, with any pip, from any index, whatever it has by now."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from .conftest import Clone, PythonWithPip

PINNED = {"alpha": "1.0", "beta": "1.0", "gamma": "1.0"}
PIPS = ("22.3", "23.2.1", "24.3.1", "")


@pytest.mark.parametrize("version", PIPS, ids=lambda version: version or "newest")
def test_pip_fetches_uv_which_installs_what_is_pinned_though_everything_has_a_newer_release(
    clone: Clone, python_with_pip: PythonWithPip, uv_wheel: bytes, version: str
) -> None:
    clone.offer_uv(uv_wheel)

    answer = clone.install(python=python_with_pip(version))

    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert "with uv …" in answer.stdout
    assert clone.installed() == PINNED


@pytest.mark.parametrize("version", PIPS, ids=lambda version: version or "newest")
def test_pip_installs_the_same_where_there_is_no_uv(clone: Clone, python_with_pip: PythonWithPip, version: str) -> None:
    answer = clone.install(python=python_with_pip(version))

    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert "with pip …" in answer.stdout
    assert clone.installed() == PINNED


def test_group_is_added_to_what_is_there_and_stays(clone: Clone, uv_wheel: bytes) -> None:
    clone.offer_uv(uv_wheel)
    clone.install()

    clone.install("test")
    clone.index.requests.clear()
    again = clone.install()

    assert clone.installed() == {**PINNED, "omega": "1.0"}
    assert (again.returncode, again.stdout, clone.index.requests) == (0, "", [])


@pytest.mark.parametrize("has_uv", [True, False], ids=["uv", "pip"])
def test_package_that_a_lock_no_longer_pins_goes(clone: Clone, uv_wheel: bytes, has_uv: bool) -> None:
    if has_uv:
        clone.offer_uv(uv_wheel)
    clone.install()

    clone.lock("production", clone.index.add("alpha", "1.0"))
    answer = clone.install()

    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert clone.installed() == {"alpha": "1.0"}


def test_tool_has_an_environment_of_its_own(clone: Clone) -> None:
    clone.install()

    clone.install("--venv", ".venv/test", "--only", "test")

    assert clone.installed() == PINNED
    assert [each.stem for each in clone.root.glob(".venv/test/lib/*/site-packages/*.py")] == ["omega"]


def test_interrupted_install_is_completed_by_the_next(clone: Clone, uv_wheel: bytes) -> None:
    clone.offer_uv(uv_wheel)
    clone.install()
    (module,) = clone.root.glob(".venv/lib/*/site-packages/beta.py")
    module.unlink()
    (clone.root / ".venv" / "installing").touch()

    answer = clone.install()

    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert module.exists()
    assert clone.install().stdout == ""


def test_killed_install_leaves_a_mark_until_another_has_finished(clone: Clone, uv_wheel: bytes) -> None:
    clone.offer_uv(uv_wheel)
    held = clone.index.files["/files/beta-1.0-py3-none-any.whl"]
    killed: list[int] = []

    def kill_the_installer(path: str) -> bytes | None:
        if not killed and path == "/files/beta-1.0-py3-none-any.whl":
            killed.append(process.pid)
            process.send_signal(signal.SIGKILL)
        return held if "beta-1.0" in path else None

    page = clone.index.answer("/simple/beta")
    del clone.index.files["/files/beta-1.0-py3-none-any.whl"]
    clone.index.files["/simple/beta/"] = page or b""
    clone.index.fallback = kill_the_installer
    process = subprocess.Popen(
        [sys.executable, "-m", "local_stack.bootstrap"],
        cwd=clone.root,
        env=clone.environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    assert process.wait(60) == -signal.SIGKILL
    assert (clone.root / ".venv" / "installing").exists()

    answer = clone.install()

    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert clone.installed() == PINNED
    assert not (clone.root / ".venv" / "installing").exists()


def test_install_that_finds_no_index_says_so_and_leaves_what_worked(clone: Clone, uv_wheel: bytes) -> None:
    clone.offer_uv(uv_wheel)
    clone.install()
    clone.environment |= {"PIP_INDEX_URL": "http://127.0.0.1:1/simple", "PIP_RETRIES": "0"}

    answer = clone.install("test")

    assert answer.returncode == 1
    assert answer.stderr.splitlines()[-1].startswith("The package index did not answer: check the network")
    assert "Traceback" not in answer.stderr
    assert (clone.install().returncode, clone.install().stdout) == (0, "")
    assert clone.installed() == PINNED


def test_file_that_is_not_the_pinned_one_is_refused(clone: Clone, uv_wheel: bytes) -> None:
    clone.offer_uv(uv_wheel)
    clone.index.add("beta", "1.0", requires=["something-else"])

    answer = clone.install()

    assert answer.returncode == 1
    assert answer.stderr.splitlines()[-1].startswith("A package is not the file that was pinned")
    assert clone.installed() == {}


def test_two_makes_at_once_install_once(clone: Clone, uv_wheel: bytes) -> None:
    clone.offer_uv(uv_wheel)
    both = [
        subprocess.Popen(
            [sys.executable, "-m", "local_stack.bootstrap"],
            cwd=clone.root,
            env=clone.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for _ in range(2)
    ]
    outputs = [process.communicate(timeout=60)[0] for process in both]

    assert [process.returncode for process in both] == [0, 0], outputs
    assert sum("The packages are installed." in output for output in outputs) == 1
    assert clone.installed() == PINNED


@pytest.mark.parametrize("has_uv", [True, False], ids=["uv", "pip"])
@pytest.mark.parametrize("place", ["file", "variable", "find-links", "proxy", "pip's proxy"])
def test_index_of_pip_is_the_one_that_is_used(
    clone: Clone, uv_wheel: bytes, tmp_path: Path, has_uv: bool, place: str
) -> None:
    if has_uv:
        clone.offer_uv(uv_wheel)
    url = clone.environment.pop("PIP_INDEX_URL")
    elsewhere = {"PIP_INDEX_URL": "http://packages.invalid/simple", "PIP_TRUSTED_HOST": "packages.invalid"}
    match place:
        case "file":
            configuration = tmp_path / "pip.conf"
            configuration.write_text(f"[global]\nindex-url = {url}\nextra-index-url = file:///not/there\n")
            clone.environment["PIP_CONFIG_FILE"] = str(configuration)
        case "variable":
            clone.environment["PIP_INDEX_URL"] = url
        case "find-links":
            for path, content in clone.index.files.items():
                (tmp_path / Path(path).name).write_bytes(content)
            clone.environment |= {"PIP_FIND_LINKS": f"/not/there {tmp_path}", "PIP_NO_INDEX": "1"}
        case "proxy":
            clone.environment |= {**elsewhere, "http_proxy": clone.index.url}
        case "pip's proxy":
            clone.environment |= {**elsewhere, "PIP_PROXY": clone.index.url}

    answer = clone.install()

    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert f"with {'uv' if has_uv else 'pip'} …" in answer.stdout
    assert clone.installed() == PINNED


def test_constraints_and_targets_of_pip_change_nothing(clone: Clone, tmp_path: Path) -> None:
    (tmp_path / "constraints.txt").write_text("beta<1.0\n")
    clone.environment |= {"PIP_CONSTRAINT": str(tmp_path / "constraints.txt"), "PIP_USER": "1"}
    clone.environment |= {"PIP_REQUIRE_VIRTUALENV": "1", "PIP_TARGET": str(tmp_path / "target")}

    answer = clone.install()

    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert clone.installed() == PINNED


def test_configuration_that_pip_cannot_read_is_named(clone: Clone, tmp_path: Path) -> None:
    (tmp_path / "pip.conf").write_text("index-url = x\n")
    clone.environment["PIP_CONFIG_FILE"] = str(tmp_path / "pip.conf")

    answer = clone.install()

    assert answer.returncode == 1
    assert answer.stderr.startswith("pip cannot read its configuration, put it right and run make again")


@pytest.mark.parametrize(
    "variables", [{"HOME": "/proc/1/nowhere"}, {"TMPDIR": "/not/there"}, {"XDG_CACHE_HOME": "/dev/null"}], ids=repr
)
def test_home_and_temporary_directory_need_not_be_writable(
    clone: Clone, uv_wheel: bytes, variables: dict[str, str]
) -> None:
    clone.offer_uv(uv_wheel)
    clone.environment |= variables

    answer = clone.install()

    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert "with uv …" in answer.stdout
    assert clone.installed() == PINNED


def test_group_without_a_lock_is_named(clone: Clone) -> None:
    answer = clone.install("nothing")

    assert (answer.returncode, answer.stderr) == (
        1,
        "There is no requirements/nothing.lock: run `make pins` to write it.\n",
    )
