import stat
from pathlib import Path

import pytest

from cruddur.net import KEY_ID_VARIABLE, SECRET_VARIABLE
from tools.local_stack import environment
from tools.local_stack.environment import Configuration, read_configuration, read_env, write_env
from tools.local_stack.problem import Problem

ALL = (
    *environment.DATABASE_VARIABLES, *environment.DYNAMODB_VARIABLES, *environment.COGNITO_VARIABLES,
    *environment.DEFAULT_PORTS, KEY_ID_VARIABLE, SECRET_VARIABLE, "APP_URL", "AWS_REGION",
    "AWS_DEFAULT_REGION", "CRUDDUR_ENV", "CRUDDUR_LOCAL_DIR",
)  # fmt: skip


@pytest.fixture(autouse=True)
def no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ALL:
        monkeypatch.delenv(name, raising=False)


def variables(configuration: Configuration) -> dict[str, str]:
    pool = {"COGNITO_USER_POOL_ID": "pool", "OIDC_RP_CLIENT_ID": "client"}
    return configuration.variables(
        database_url="postgres://ours", migration_url="postgres://owner", aws_url="http://127.0.0.1:4566", pool=pool
    )


def test_default_environment_uses_only_local_parts(tmp_path: Path) -> None:
    configuration = read_configuration(tmp_path)

    assert configuration.is_all_ours
    assert configuration.may_be_seeded
    assert configuration.local == tmp_path / ".local"
    values = variables(configuration)
    assert values.pop("SECRET_KEY")
    assert values == {
        **configuration.key.environment(),
        "APP_URL": "http://localhost:8000",
        "DATABASE_URL": "postgres://ours",
        "MIGRATION_DATABASE_URL": "postgres://owner",
        "AWS_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": "http://127.0.0.1:4566",
        "COGNITO_USER_POOL_ID": "pool",
        "OIDC_RP_CLIENT_ID": "client",
    }


def test_a_database_of_ones_own_is_left_to_its_variable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgres://me@db.example/mine")

    configuration = read_configuration(tmp_path)

    assert configuration.external_database == "DATABASE_URL"
    assert not {"DATABASE_URL", "MIGRATION_DATABASE_URL"} & variables(configuration).keys()
    assert not configuration.may_be_seeded


def test_a_dynamodb_of_ones_own_leaves_the_emulator_to_cognito(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", "http://127.0.0.1:8100")

    configuration = read_configuration(tmp_path)

    assert configuration.needs_emulator
    assert configuration.may_be_seeded
    values = variables(configuration)
    assert "AWS_ENDPOINT_URL" not in values
    assert values["AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER"] == "http://127.0.0.1:4566"


def test_a_pool_of_ones_own_leaves_the_emulator_to_dynamodb(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OIDC_RP_CLIENT_ID", "theirs")

    configuration = read_configuration(tmp_path)

    assert configuration.external_cognito == "OIDC_RP_CLIENT_ID"
    values = variables(configuration)
    assert "COGNITO_USER_POOL_ID" not in values
    assert values["AWS_ENDPOINT_URL_DYNAMODB"] == "http://127.0.0.1:4566"
    assert not configuration.may_be_seeded


def test_without_any_part_the_emulator_is_not_needed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://emulator.example:4566")
    monkeypatch.setenv("COGNITO_USER_POOL_ID", "us-east-1_theirs")

    configuration = read_configuration(tmp_path)

    assert not configuration.needs_emulator
    assert "AWS_REGION" not in variables(configuration)


def test_the_environment_wins_over_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".env").write_text("PORT=8100\nAWS_PORT=8101\n")
    monkeypatch.setenv("PORT", "8200")

    configuration = read_configuration(tmp_path)

    assert (configuration.web_port, configuration.aws_port) == (8200, 8101)
    assert configuration.app_url == "http://localhost:8200"


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("PORT", "eighty", "PORT is 'eighty'. It must be a port from 1 to 65535"),
        ("PORT", "4566", "must differ"),
        ("DATABASE_URL", "", "DATABASE_URL is set to nothing"),
        ("CRUDDUR_ENV", "production", "starts nothing but the local stack"),
    ],
)
def test_invalid_environment_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: str, sentence: str
) -> None:
    monkeypatch.setenv(name, value)

    with pytest.raises(Problem, match=sentence):
        read_configuration(tmp_path)


def test_key_of_the_emulator_is_kept_and_its_secret_shown_to_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = read_configuration(tmp_path)
    first.local.mkdir()
    write_env(first.env_file, variables(first))

    assert read_configuration(tmp_path).key == first.key
    assert read_configuration(tmp_path / "another clone").key != first.key
    assert first.key.secret not in repr(first)
    monkeypatch.setenv(KEY_ID_VARIABLE, "AKIAOURS")
    monkeypatch.setenv(SECRET_VARIABLE, "secret12")
    assert read_configuration(tmp_path).key.key_id == "AKIAOURS"


def test_the_file_is_its_owners_alone_and_the_key_stays(tmp_path: Path) -> None:
    configuration = read_configuration(tmp_path)
    configuration.local.mkdir()

    assert write_env(configuration.env_file, variables(configuration))
    assert not write_env(configuration.env_file, variables(configuration))

    assert stat.S_IMODE(configuration.env_file.stat().st_mode) == 0o600
    assert read_env(configuration.env_file)["SECRET_KEY"] == variables(configuration)["SECRET_KEY"]
