"""Every environment variable is validated where it is read: one sentence with its name, its value and its format."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cruddur.environment import Environment, Misconfigured, read_file, shown
from cruddur.variables import VARIABLES
from deploy.command_line import main as deploy
from messaging.stream import lambda_handler
from tools.local_stack.environment import read_configuration
from tools.local_stack.problem import Problem

ROOT = Path(__file__).parents[2]
EXAMPLE = (ROOT / ".env.example").read_text()
KEY = "a-key-of-more-than-fifty-characters-0123456789-0123456789"
RATES = ("lots", "30", "0/s")
PORTS = ("eighty", "0", "65536")
ENDPOINTS = ("localhost:4700", "http://127.0.0.1:99999", "http://user:hunter2@127.0.0.1:4566")
BOOLEANS = ("maybe", "2", "truee")
WRONG: dict[str, tuple[str, str, str]] = {
    "CRUDDUR_ENV": ("staging", "prod", "local test"),
    "CRUDDUR_LOCAL_DIR": ("/dev/null", "/etc/hostname/local", "~/local"),
    "PORT": PORTS,
    "POSTGRES_PORT": PORTS,
    "AWS_PORT": PORTS,
    "DYNAMODB_PORT": PORTS,
    "CRUDDUR_VERSION": ("two words", "v" * 101, "1\n2"),
    "SECRET_KEY": ("short", "a" * 60, "a key of 49 characters is one character too short"),
    "SECRET_KEY_FALLBACKS": ("short", f"{KEY},short", f"{KEY},{'ab' * 30}"),
    "DEBUG": BOOLEANS,
    "APP_URL": ("messages.example.com", "https://messages.example.com/app", "ftp://messages.example.com"),
    "ALLOWED_HOSTS": ("https://messages.example.com", "messages.example.com:8000", "a.example b.example"),
    "SESSION_IDLE_DAYS": ("a fortnight", "0", "-1"),
    "SESSION_DAYS": ("30d", "0", "1.5"),
    "BODY_MAX_BYTES": ("256 KB", "0", "1e6"),
    "BEHIND_PROXY": BOOLEANS,
    "LOG_LEVEL": ("LOUD", "10", "INFO,DEBUG"),
    "LOG_JSON": BOOLEANS,
    "DATABASE_URL": ("garbage", "mysql://root:hunter2@127.0.0.1/cruddur", "postgres://u:hunter2@127.0.0.1:x/cruddur"),
    "MIGRATION_DATABASE_URL": (
        "garbage",
        "mysql://root:hunter2@127.0.0.1/cruddur",
        "postgres://u:hunter2@127.0.0.1:x/cruddur",
    ),
    "MIGRATION_PGPASSWORD": ("hunter2 hunter2", "x" * 257, "hunter2\thunter2"),
    "DATABASE_POOL": ("-1", "many", "2.5"),
    "REQUESTS_AT_ONCE": ("0", "-4", "four"),
    "REDIS_URL": ("127.0.0.1:6379", "http://127.0.0.1:6379", "redis://:hunter2@127.0.0.1:6379/zero"),
    "SEND_QUEUE_SECONDS": ("-1", "2s", "11"),
    "LIVE_STREAMS_A_PERSON": ("0", "-1", "ten"),
    "RATE_MESSAGES": RATES,
    "RATE_MESSAGES_TO_ONE": RATES,
    "RATE_NEW_CONVERSATIONS": RATES,
    "RATE_NEW_CONVERSATIONS_NEW_ACCOUNT": RATES,
    "NEW_ACCOUNT_DAYS": ("-1", "week", "7.5"),
    "RATE_REPORTS": RATES,
    "RATE_SEARCHES": RATES,
    "RATE_STREAMS": RATES,
    "RATE_EXPORTS": RATES,
    "RATE_SIGN_INS": RATES,
    "RATE_PAGES": RATES,
    "RATE_SENDS": RATES,
    "RATE_UPDATES": RATES,
    "RATE_TYPING": RATES,
    "RATE_READ_MARKS": RATES,
    "RATE_CHANGES": RATES,
    "RATE_BLOCKS": RATES,
    "RATE_HANDLES": RATES,
    "RATE_ADMIN": RATES,
    "MESSAGE_REQUESTS": BOOLEANS,
    "DDB_MESSAGE_TABLE": ("cruddur messages", "ab", "arn:aws:dynamodb:us-east-1:1:table/x"),
    "AWS_REGION": ("useast1", "us-east-1a", "US East (N. Virginia)"),
    "AWS_DEFAULT_REGION": ("Frankfurt", "eu_central_1", "eu-central"),
    "AWS_ENDPOINT_URL": (*ENDPOINTS[:2], "https://dynamodb.us-east-1.amazonaws.com"),
    "AWS_ENDPOINT_URL_DYNAMODB": (*ENDPOINTS[:2], "https://streams.dynamodb.us-east-1.amazonaws.com"),
    "AWS_ENDPOINT_URL_DYNAMODB_STREAMS": (*ENDPOINTS[:2], "https://dynamodb.us-east-1.amazonaws.com"),
    "AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER": (ENDPOINTS[0], ENDPOINTS[2], "https://sts.us-east-1.amazonaws.com"),
    "LOCAL_AWS_ACCESS_KEY_ID": ("test", "000000000000", "AKIA 1234"),
    "LOCAL_AWS_SECRET_ACCESS_KEY": ("hunter2", "hunter2 hunter2", "x" * 129),
    "COGNITO_USER_POOL_ID": ("example", "us-east-1_", "arn:aws:cognito-idp:us-east-1:1:userpool/us-east-1_x"),
    "COGNITO_DOMAIN": ("example.auth.us-east-1.amazoncognito.com", "https://", "https://example.com/login"),
    "OIDC_RP_CLIENT_ID": ("<client id>", "two words", "x" * 129),
    "OIDC_RP_CLIENT_SECRET": ("<client secret>", "hunter2 hunter2", "x" * 129),
    "OIDC_OP_ISSUER": ("cognito", "cognito-idp.us-east-1.amazonaws.com/us-east-1_x", "https:///us-east-1_x"),
    "OIDC_OP_JWKS_ENDPOINT": ("jwks.json", "/.well-known/jwks.json", "file:///jwks.json"),
    "OTEL_EXPORTER_OTLP_ENDPOINT": ("127.0.0.1:4318", "grpc://127.0.0.1:4317", "http://user:hunter2@collector"),
    "DEBUG_PANEL": BOOLEANS,
}
"""Three values of each variable that are not of its format. Passwords in them are `hunter2`."""
RIGHT = {
    "CRUDDUR_VERSION": ("0.1.0", "67e8054", "registry.example/cruddur:1"),
    "APP_URL": ("http://localhost:8000", "https://messages.example.com/", "https://[::1]:8443"),
    "ALLOWED_HOSTS": ("*", ".example.com, localhost", "127.0.0.1,[::1]"),
    "DATABASE_URL": (
        "postgres:///cruddur",
        "postgresql://u:p%40ss@db.example:5432/cruddur?sslmode=require&conn_max_age=60",
        "postgres://u:p%2Fss@%2Frun%2Fpostgresql/cruddur",
        "postgres:////run/postgresql/cruddur",
        "postgres://u@one:5432,two:5433/cruddur",
    ),
    "REDIS_URL": ("redis://127.0.0.1:6379/0", "rediss://u:p@bus.example:6379", "unix:///run/redis.sock"),
    "AWS_REGION": ("us-east-1", "us-gov-west-1", "ap-southeast-5"),
    "AWS_ENDPOINT_URL": ("http://localhost:4566/", "http://aws:4566"),
    "AWS_ENDPOINT_URL_DYNAMODB": (
        "https://dynamodb-fips.us-east-1.amazonaws.com",
        "https://vpce-1.dynamodb.us-east-1.vpce.amazonaws.com",
        "http://dynamodb-local:8000",
    ),
    "AWS_ENDPOINT_URL_DYNAMODB_STREAMS": ("https://streams.dynamodb.us-east-1.amazonaws.com",),
    "LOG_LEVEL": ("info", "WARNING"),
    "DEBUG": ("True", "off", "1"),
}


def problem_of(**values: str) -> str:
    with pytest.raises(Misconfigured) as caught:
        Environment(values)
    return str(caught.value)


def settings_of(*command: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *command], cwd=ROOT, env=os.environ | variables, capture_output=True, text=True, check=False,
        timeout=60,
    )  # fmt: skip


def test_every_variable_of_the_example_is_declared_and_no_other() -> None:
    explained = re.findall(r"^#([A-Z_]+)=", EXAMPLE, re.MULTILINE)

    assert [*explained, "AWS_DEFAULT_REGION"] == sorted(VARIABLES, key=[*explained, "AWS_DEFAULT_REGION"].index)


def test_every_variable_has_three_wrong_values() -> None:
    assert WRONG.keys() == VARIABLES.keys(), "add three wrong values of the new variable to WRONG"
    assert all(len(set(values)) == 3 for values in WRONG.values())


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in WRONG.items() for value in values])
def test_a_wrong_value_is_refused_by_name_value_and_format(name: str, value: str) -> None:
    sentence = problem_of(**{name: value})

    assert sentence.startswith(f"{name} ")
    assert f"It must be {VARIABLES[name].format.words}." in sentence
    assert sentence.count("\n") == 0
    if VARIABLES[name].secret:
        assert value not in sentence
    elif "hunter2" not in value:
        assert repr(value) in sentence or repr(value[:100])[:-1] in sentence
    assert "hunter2" not in sentence


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in RIGHT.items() for value in values])
def test_a_right_value_is_accepted(name: str, value: str) -> None:
    Environment({name: value})


def test_an_empty_variable_counts_as_not_set() -> None:
    env = Environment(dict.fromkeys(VARIABLES, ""))

    assert env.number("DATABASE_POOL", 20) == 20
    assert env.text("REDIS_URL") == ""


def test_all_problems_are_told_together() -> None:
    lines = problem_of(DEBUG="maybe", DATABASE_POOL="-1", RATE_MESSAGES="lots").splitlines()

    assert [line.partition(" ")[0] for line in lines] == ["DEBUG", "DATABASE_POOL", "RATE_MESSAGES"]


def test_a_variable_that_is_not_declared_cannot_be_read() -> None:
    with pytest.raises(LookupError, match="UNHEARD_OF is not declared"):
        Environment({}).text("UNHEARD_OF")


@pytest.mark.parametrize(
    "value",
    [
        "postgres://cruddur:hunter2@db.example/cruddur",
        "postgres://cruddur:hunter2@hunter2@db.example/cruddur",
        "postgres://cruddur:/hunter2/@db.example/cruddur",
        "cruddur:hunter2@db.example",
        "postgres://db.example/cruddur?user=cruddur&password=hunter2",
        "host=db.example password=hunter2 user=cruddur",
        "host=db.example password = 'hunter2 hunter2' user=cruddur",
    ],
)
def test_passwords_are_never_shown(value: str) -> None:
    assert "hunter2" not in shown(value)
    assert "cruddur" in shown(value)


@given(name=st.sampled_from(sorted(VARIABLES)), value=st.text(min_size=1, max_size=60))
def test_any_value_is_taken_or_refused_in_a_sentence(name: str, value: str) -> None:
    problem = name
    try:
        Environment({name: value})
    except Misconfigured as refused:
        problem = str(refused)

    assert problem.startswith(name)


def test_a_file_of_variables_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    directory, latin, lines = tmp_path / "directory", tmp_path / "latin", tmp_path / "lines"
    directory.mkdir()
    latin.write_bytes(b"APP_URL=http://caf\xe9\n")
    lines.write_text("PORT=8000\n\nSECRET KEY=hunter2\n")

    for file, words in ((directory, "Is a directory"), (latin, "UTF-8"), (lines, "line 3")):
        with pytest.raises(Misconfigured, match=words) as caught:
            read_file(file, {})
        assert str(file) in str(caught.value)
        assert "hunter2" not in str(caught.value)


def test_a_file_of_variables_gives_way_to_what_is_set(tmp_path: Path) -> None:
    file = tmp_path / "env"
    file.write_text("\ufeffPORT=8000\n# words\nexport APP_URL='http://localhost'\n   \n", encoding="utf-8")
    values = {"PORT": "9000"}

    read_file(file, values)

    assert values == {"PORT": "9000", "APP_URL": "http://localhost"}


@pytest.mark.slow
@pytest.mark.parametrize(
    "command",
    [
        ("manage.py", "ddb_scan"),
        ("manage.py", "migrate"),
        ("manage.py", "check"),
        ("manage.py", "ddb_stream"),
        ("manage.py", "nonsense"),
        ("-m", "uvicorn", "cruddur.asgi:application", "--no-proxy-headers", "--port", "1"),
    ],
)
def test_whatever_reads_the_settings_says_it_and_ends_with_1(command: tuple[str, ...]) -> None:
    answer = settings_of(*command, RATE_MESSAGES="lots", DATABASE_URL="mysql://u:hunter2@127.0.0.1/cruddur")

    assert answer.returncode == 1, answer.stderr
    assert [line.partition(" ")[0] for line in answer.stderr.splitlines()] == ["DATABASE_URL", "RATE_MESSAGES"]
    assert answer.stdout == ""


@pytest.mark.slow
def test_help_can_be_read_all_the_same() -> None:
    answer = settings_of("manage.py", "help", RATE_MESSAGES="lots")

    assert answer.returncode == 0
    assert "RATE_MESSAGES is 'lots'" in answer.stdout + answer.stderr


def test_the_local_stack_says_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POSTGRES_PORT", "0")

    with pytest.raises(Problem, match=r"POSTGRES_PORT is '0'. It must be a port"):
        read_configuration(tmp_path)


def test_a_deployment_says_it(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "localhost:4700")

    assert deploy(["outputs"]) == 1
    assert "AWS_ENDPOINT_URL is 'localhost:4700'" in capsys.readouterr().err


@pytest.mark.parametrize(("value", "words"), [("a b", "DDB_MESSAGE_TABLE is 'a b'"), ("", "DDB_MESSAGE_TABLE is not")])
def test_the_function_says_it_before_it_projects_anything(
    value: str, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DDB_MESSAGE_TABLE", value)
    lambda_handler.message_table.cache_clear()

    with pytest.raises(Misconfigured, match=words):
        lambda_handler.handler({"Records": []}, None)
