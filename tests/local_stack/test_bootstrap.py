from pathlib import Path

import pytest

from local_stack import bootstrap


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("OSError: [Errno 28] No space left on device", "is full: free some space"),
        ("NewConnectionError: Failed to establish", "The package index did not answer: check the network"),
        ("ERROR: no matching distribution", "put right what the lines above say"),
    ],
)
def test_it_says_what_to_do_when_packages_cannot_be_installed(line: str, sentence: str) -> None:
    assert sentence in bootstrap.packages_problem([line])


def test_it_says_what_to_do_when_python_cannot_make_virtualenvs() -> None:
    assert "apt install python3-venv" in bootstrap.virtualenv_problem(["ensurepip is not available"])


def test_what_is_to_be_installed_follows_the_requirements(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path_factory.mktemp("clone"))
    Path("deploy").mkdir()
    for name in bootstrap.REQUIREMENTS:
        Path(name).write_text("django==1\n")
    before = bootstrap.wanted()

    Path("requirements.txt").write_text("django==2\n")

    assert bootstrap.wanted() != before
