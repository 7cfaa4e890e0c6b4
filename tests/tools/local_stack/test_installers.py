import os
from pathlib import Path

import pytest

from tools.local_stack import installers
from tools.local_stack.installers import Failure
from tools.local_stack.problem import Problem


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("OSError: [Errno 28] No space left on device", "is full: free some space"),
        ("error: failed to create directory (os error 122)", "is full: free some space"),
        ("error: Permission denied (os error 13)", "Some files belong to another user: delete"),
        ("THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE", "run `make pins` first"),
        ("error: Hash mismatch for `alpha==1.0`", "run `make pins` first"),
    ],
)
def test_failure_that_another_installer_would_share_ends_in_one_sentence(
    line: str, sentence: str, tmp_path: Path
) -> None:
    with pytest.raises(Problem) as raised:
        installers.run(["sh", "-c", f"echo '{line}'; exit 1"], os.environ, tmp_path)

    shown, said = str(raised.value).splitlines()
    assert shown == line
    assert sentence in said


@pytest.mark.parametrize("line", ["NewConnectionError: Failed to establish", "error sending request for url (x)"])
def test_unreachable_index_is_named_as_such(line: str) -> None:
    assert "The package index did not answer: check the network" in str(installers.problem_of(Failure(line)))


def test_other_failure_shows_the_last_lines_and_what_to_do() -> None:
    failure = Failure("\n".join(f"line {number}" for number in range(20)))

    lines = str(installers.problem_of(failure)).splitlines()

    assert lines[0] == "line 12"
    assert lines[-1].startswith("The packages could not be installed")


def test_cache_is_kept_where_this_user_can_write(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()

    assert installers.cache_directory({"HOME": str(home)}, tmp_path / "venv") == home / ".cache" / "uv"


def test_cache_goes_into_the_virtualenv_when_the_home_belongs_to_another_user(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.geteuid", lambda: os.getuid() + 1)

    assert installers.cache_directory({"HOME": str(tmp_path)}, tmp_path / "venv") == tmp_path / "venv" / "cache"


def test_cache_goes_into_the_virtualenv_when_the_home_is_read_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.access", lambda path, mode: False)

    assert installers.cache_directory({"HOME": str(tmp_path)}, tmp_path / "venv") == tmp_path / "venv" / "cache"


def test_names_of_a_lock_are_the_packages_it_pins(tmp_path: Path) -> None:
    lock = tmp_path / "some.lock"
    lock.write_text(
        "# pins\na-b==1.0 \\\n    --hash=sha256:00\nc==2 ; python_version < '3.12' \\\n    --hash=sha256:11\n"
    )

    assert installers.names_in(lock) == {"a-b", "c"}
