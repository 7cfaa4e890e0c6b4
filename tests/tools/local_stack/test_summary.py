from pathlib import Path

import pytest

from tools.local_stack.environment import Configuration
from tools.local_stack.summary import summary


def lines(root: Path, *, external_dynamodb: str | None) -> str:
    configuration = Configuration(
        local=root / ".local",
        web_port=8000,
        postgres_port=15432,
        aws_port=4566,
        region="us-east-1",
        external_database=None,
        external_dynamodb=external_dynamodb,
        external_cognito=None,
    )
    return "\n".join(summary(root, configuration, seconds=1.0))


def test_another_terminal_needs_no_variable(tmp_path: Path) -> None:
    assert "`.venv/bin/python manage.py …` acts on this stack\n" in lines(tmp_path, external_dynamodb=None)


def test_another_terminal_needs_what_is_set_in_this_one_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    name = "AWS_ENDPOINT_URL_DYNAMODB"
    monkeypatch.setenv(name, "http://127.0.0.1:8001")
    assert f"acts on this stack where {name} is set as here\n" in lines(tmp_path, external_dynamodb=name)

    monkeypatch.delenv(name)  # it is in `.env`, which every command reads
    assert "acts on this stack\n" in lines(tmp_path, external_dynamodb=name)
