"""What `make` promises about installing, with any pip, from any index, whatever it has by now."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tools.local_stack.installers import ROOT

from .conftest import Clone, PythonWithPip
from .package_index import wheel

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
        [sys.executable, "-m", "tools.local_stack.bootstrap"],
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
            [sys.executable, "-m", "tools.local_stack.bootstrap"],
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


SMALL_DISK = (
    "unshare",
    *(() if os.geteuid() == 0 else ("--map-root-user",)),
    "--mount",
    "sh",
    "-c",
    'mkdir -p "$0" && mount -t tmpfs -o size="$1" none "$0" && shift && exec "$@"',
)
"""Run a command with an empty disk in a directory's place: directory, size, command. It goes when the command ends."""


@pytest.fixture(scope="module")
def small_disk() -> tuple[str, ...]:
    if subprocess.run([*SMALL_DISK, "/mnt", "1m", "true"], capture_output=True, check=False).returncode:
        pytest.skip("this user may not mount a disk, not even in a namespace of its own")
    return SMALL_DISK


def test_disk_that_is_too_small_is_told_before_anything_is_fetched(clone: Clone, small_disk: tuple[str, ...]) -> None:
    answer = clone.install(within=(*small_disk, ".venv", "20m"))

    assert answer.returncode == 1
    assert answer.stderr == (
        f"The disk of {clone.root}/.venv is full (20 MB left, 250 MB needed for the packages): "
        "free some space and run make again.\n"
    )
    assert clone.index.requests == []


@pytest.mark.parametrize("has_uv", [True, False], ids=["uv", "pip"])
def test_disk_that_fills_up_while_packages_are_installed_is_named(
    clone: Clone, uv_wheel: bytes, small_disk: tuple[str, ...], has_uv: bool
) -> None:
    if has_uv:
        clone.offer_uv(uv_wheel)
    clone.lock("production", clone.index.add("alpha", "1.0", wheel("alpha", "1.0", files={"zeros": bytes(400 << 20)})))

    answer = clone.install(within=(*small_disk, ".venv", "320m"))

    assert answer.returncode == 1
    assert f"with {'uv' if has_uv else 'pip'} …" in answer.stdout
    last = answer.stderr.splitlines()[-1]
    assert last.startswith(f"The disk of {clone.root}/.venv ")  # and of others that are not ruled out
    assert last.endswith(" is full: free some space and run make again.")
    assert "Traceback" not in answer.stdout + answer.stderr


@pytest.mark.parametrize("has_uv", [True, False], ids=["uv", "pip"])
def test_full_directory_for_temporary_files_is_named(
    clone: Clone, uv_wheel: bytes, small_disk: tuple[str, ...], tmp_path: Path, has_uv: bool
) -> None:
    if has_uv:
        clone.offer_uv(uv_wheel)
    clone.environment |= {"TMPDIR": str(tmp_path / "small"), "PIP_NO_CACHE_DIR": "1"}
    noise = os.urandom(4 << 20)
    clone.lock("production", clone.index.add("alpha", "1.0", wheel("alpha", "1.0", files={"noise": noise})))

    answer = clone.install(within=(*small_disk, str(tmp_path / "small"), "1m"))

    if answer.returncode == 0:  # what needs no temporary files does without
        assert clone.installed() == {"alpha": "1.0"}
    else:
        assert answer.stderr.splitlines()[-1].endswith("is full: free some space and run make again.")
        assert str(tmp_path / "small") in answer.stderr.splitlines()[-1]
    assert "Traceback" not in answer.stdout + answer.stderr


@pytest.mark.parametrize("place", [".venv", ".venv/bin", "site-packages", "a package", "clone"])
def test_files_of_another_user_are_named(clone: Clone, uv_wheel: bytes, place: str) -> None:
    clone.offer_uv(uv_wheel)
    clone.install()
    (site_packages,) = clone.root.glob(".venv/lib/*/site-packages")
    package = site_packages / "alpha-1.0.dist-info"
    match place:
        case "site-packages":
            there = site_packages
        case "a package":
            there = package
        case "clone":
            shutil.rmtree(clone.root / ".venv")
            there = clone.root
        case _:
            there = clone.root / place
    clone.lock("production", clone.index.add("alpha", "2.0"))
    there.chmod(0o555)
    owner = "nobody"
    within: tuple[str, ...] = ()
    if os.geteuid() == 0:
        os.chown(there, 65534, 65534)
        within = ("setpriv", "--bounding-set", "-dac_override,-dac_read_search,-fowner")
    else:
        owner = there.owner()

    answer = clone.install(within=within)
    there.chmod(0o755)

    assert answer.returncode == 1
    assert "Traceback" not in answer.stdout + answer.stderr
    last = answer.stderr.splitlines()[-1]
    assert (f" belongs to {owner} and may not be written" in last) or last.startswith(
        "Some files belong to another user: delete .venv"
    )


def test_copied_virtualenv_is_made_again_because_its_scripts_name_the_old_place(
    clone: Clone, uv_wheel: bytes, tmp_path: Path
) -> None:
    clone.offer_uv(uv_wheel)
    clone.install()
    (clone.root / ".venv").rename(tmp_path / "elsewhere")
    shutil.copytree(tmp_path / "elsewhere", clone.root / ".venv", symlinks=True)
    assert clone.install().stdout == "", "one that came back to its place stays"
    shutil.copytree(clone.root, tmp_path / "copy", symlinks=True)

    clone.root = tmp_path / "copy"
    answer = clone.install()

    assert "Making the virtualenv .venv" in answer.stdout
    assert f"{tmp_path}/copy/.venv" in (tmp_path / "copy/.venv/pyvenv.cfg").read_text()
    assert clone.installed() == PINNED
    assert clone.install().stdout == ""


def test_virtualenv_whose_python_became_another_version_is_made_again(clone: Clone, uv_wheel: bytes) -> None:
    clone.offer_uv(uv_wheel)
    clone.install()
    (library,) = clone.root.glob(".venv/lib/python3*")
    library.rename(library.with_name("python3.1"))

    answer = clone.install()

    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert clone.installed() == PINNED
    assert not library.with_name("python3.1").exists()


def test_other_programs_that_fetch_are_told_the_certificates_and_proxy_of_pip(clone: Clone, tmp_path: Path) -> None:
    (tmp_path / "pip.conf").write_text("[global]\ncert = /the/bundle.pem\nproxy = proxy.example:3128\n")
    clone.environment |= {"PIP_CONFIG_FILE": str(tmp_path / "pip.conf"), "https_proxy": "http://kept.example:1"}
    names = ("REQUESTS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS", "http_proxy", "https_proxy")
    command = ["sh", "-c", 'for name in "$@"; do printenv "$name"; done', "sh", *names]

    answer = subprocess.run(
        [sys.executable, "-m", "tools.local_stack.connected", *command],
        cwd=ROOT,
        env={**clone.environment, "NODE_EXTRA_CA_CERTS": "/kept.pem"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert answer.stderr == ""
    assert answer.stdout.split() == [
        "/the/bundle.pem",
        "/kept.pem",
        "http://proxy.example:3128",
        "http://kept.example:1",
    ]


def test_targets_of_make_that_fetch_packages_use_the_settings_of_pip() -> None:
    recipes = [
        *(ROOT / "Makefile").read_text().splitlines(),
        *(ROOT / "tools/lint/javascript.py").read_text().splitlines(),
    ]
    fetching = [line for line in recipes if "npm ci" in line or "bin/pip-audit" in line or "*npm_ci" in line]

    assert len(fetching) == 3
    assert [line for line in fetching if "tools.local_stack.connected" not in line] == []
