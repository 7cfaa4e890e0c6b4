"""Every command and program of the project, under everything that a shell, a terminal and a sick stack do to it.

A row is a command with arguments that let it do its ordinary, harmless work: `COMMANDS` are those of `manage.py`,
`PROGRAMS` those of `python -m`; a new one without a row fails. A column is a test of this module. Whatever happens:
no traceback, the exit code that docs/commands.md promises, and what is to blame named.

The whole product of both runs each time: the processes are forked (tests/programs.py). Only the moment of Ctrl-C is
drawn: COMMANDS_SEED=n takes the same moments again, COMMANDS_CTRL_C=n tries n of each command.
"""

from __future__ import annotations

import ast
import json
import os
import random
import re
import signal
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from itertools import cycle
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
from django.conf import settings
from django.core.management import get_commands, load_command_class

from cruddur.cli.base_command import StackCommand
from cruddur.variables import VARIABLES
from tools.local_stack.ports import free_port
from users.cognito.client import connect

from .cruddur.test_environment import WRONG
from .programs import FULL, ROOT, Answer, Server

pytestmark = pytest.mark.slow

SEED = int(os.environ.get("COMMANDS_SEED") or random.SystemRandom().randrange(1_000_000))
CTRL_C = range(int(os.environ.get("COMMANDS_CTRL_C") or 1))
COLUMNS = 60
OF_THE_TERMINAL = ("PYTHONIOENCODING", "PYTHONUNBUFFERED", "NO_COLOR", "COLUMNS", "LINES")
BESIDE = 1.1
"""How far beyond the time that a command takes Ctrl-C may come."""

POSTGRES, DYNAMODB, COGNITO, REDIS = "Postgres", "DynamoDB", "Cognito", "Redis"
NOBODY = f"127.0.0.1:{free_port()}"
"""Where nothing listens."""
DOWN = {
    POSTGRES: {"DATABASE_URL": f"postgres://nobody:nothing@{NOBODY}/cruddur"},
    DYNAMODB: dict.fromkeys(("AWS_ENDPOINT_URL_DYNAMODB", "AWS_ENDPOINT_URL_DYNAMODB_STREAMS"), f"http://{NOBODY}"),
    COGNITO: {"AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER": f"http://{NOBODY}"},
    REDIS: {"REDIS_URL": f"redis://{NOBODY}/0"},
}
"""The variables that make each part of the stack appear down."""
ONE_DOCUMENT = "export_person"
"""Its product is a document of JSON, on a terminal and with --json."""
REQUIRED = ("SECRET_KEY", "APP_URL", "COGNITO_USER_POOL_ID", "COGNITO_DOMAIN", "OIDC_RP_CLIENT_ID")
"""Required variables of production without defaults."""


@dataclass(frozen=True, slots=True)
class Row:
    """What a command does in an ordinary run."""

    arguments: str = ""
    codes: tuple[int, ...] = (0,)
    """Its exit code; 1 where its ordinary answer is a refusal, several where that depends on the machine."""
    needs: tuple[str, ...] = ()
    """The parts of the stack without which it refuses; of the project's own commands only what `needs` leaves out."""
    without_settings: bool = False
    """It works where the settings do not load, or where production lacks a variable."""


COMMANDS: dict[str, Row] = {
    # The project's own
    "cognito_create_user": Row("commander commander@example.com --set-password", codes=(1,)),
    "cognito_list_users": Row(),
    "db_create": Row(),
    "db_drop": Row("there_is_no_such_database --yes", codes=(1,)),
    "db_seed": Row(),
    "db_sessions": Row("--all"),
    "ddb_capacity": Row(),
    "ddb_drop": Row("there-is-no-such-table --yes", codes=(1,)),
    "ddb_export": Row("items.json.gz"),
    "ddb_get_conversation": Row("andrewbrown bayko"),
    "ddb_import_reference": Row("there-is-no-such-table --dry-run", codes=(1,)),
    "ddb_list_conversations": Row("andrewbrown"),
    "ddb_list_tables": Row(),
    "ddb_reconcile": Row("--dry-run"),
    "ddb_restore": Row("no-such-file.json.gz", codes=(1,)),
    "ddb_scan": Row("--limit 20"),
    "ddb_schema_load": Row(),
    "ddb_seed": Row("--append"),
    "ddb_stream": Row("--status"),
    "delete_person": Row("--pending"),
    "export_person": Row("bayko"),
    "setup": Row(needs=(POSTGRES, DYNAMODB, COGNITO)),
    "update_cognito_user_ids": Row("--dry-run"),
    # Django's own, and its packages'
    "changepassword": Row("bayko", codes=(1,), needs=(POSTGRES,)),
    "check": Row(),
    "clearsessions": Row(needs=(POSTGRES,)),
    "collectstatic": Row("--no-input --dry-run", without_settings=True),
    "compilemessages": Row("--locale xx", codes=(0, 1), without_settings=True),
    "createcachetable": Row("--dry-run"),
    "createsuperuser": Row(needs=(POSTGRES,)),
    "dbshell": Row("-- --no-psqlrc --command=SELECT+1", codes=(0, 1), needs=(POSTGRES,)),
    "diffsettings": Row(without_settings=True),
    "dumpdata": Row("auth.group", needs=(POSTGRES,)),
    "findstatic": Row("css/tokens.css"),
    # The tables of moderation refuse to be emptied.
    "flush": Row("--no-input", codes=(1,), needs=(POSTGRES,)),
    "inspectdb": Row("auth_group", needs=(POSTGRES,)),
    "loaddata": Row("no-such-fixture", codes=(1,)),
    "makemessages": Row("", codes=(1,), without_settings=True),
    "makemigrations": Row("--check --dry-run"),
    "migrate": Row(needs=(POSTGRES,)),
    "optimizemigration": Row("users 0001 --check"),
    "remove_stale_contenttypes": Row("--no-input", needs=(POSTGRES,)),
    # It serves until it is stopped; nothing can listen there.
    "runserver": Row("--noreload 192.0.2.1:1", codes=(1,)),
    "sendtestemail": Row("nobody@example.com", codes=(1,)),
    "shell": Row("-c pass"),
    "showmigrations": Row(needs=(POSTGRES,)),
    "sqlflush": Row(needs=(POSTGRES,)),
    "sqlmigrate": Row("users 0001", needs=(POSTGRES,)),
    "sqlsequencereset": Row("users"),
    "squashmigrations": Row("staticfiles 0001", codes=(1,)),
    "startapp": Row("--help", without_settings=True),
    "startproject": Row("--help", without_settings=True),
    "test": Row("cruddur.problem", codes=(0, 5)),
    # It makes a database and serves it until it is stopped.
    "testserver": Row("--help", without_settings=True),
}


@dataclass(frozen=True, slots=True)
class ProgramRow(Row):
    """What `python -m` of a module does in an ordinary run."""

    arguments: str = "--help"
    needs_output: bool = True
    """False: what it says is for who looks, and it goes on where nobody does."""
    wrong: tuple[str, str] = ("", "")
    """A variable that it reads, and arguments with which it does."""


PROGRAMS: dict[str, ProgramRow] = {
    "tools.bench": ProgramRow(),
    "tools.bench.browser": ProgramRow(),
    "tools.bench.costs": ProgramRow(),
    "tools.bench.growth": ProgramRow(),
    "tools.bench.live": ProgramRow(),
    "tools.bench.pages": ProgramRow(),
    "tools.bench.plots": ProgramRow(),
    "tools.bench.report": ProgramRow(),
    "tools.bench.seed_and_scan": ProgramRow(),
    "tools.bench.send_queue": ProgramRow(),
    "tools.bench.sending": ProgramRow(),
    "tools.bench.throughput": ProgramRow(),
    "cruddur.cli.command_reference": ProgramRow("reference.md", needs_output=False),
    "deploy": ProgramRow(wrong=("AWS_ENDPOINT_URL", "outputs")),
    "deploy.digests": ProgramRow(),
    "deploy.lambda_zip": ProgramRow(),
    "tools.lint.dead_code": ProgramRow(needs_output=False),
    "tools.lint.javascript": ProgramRow(needs_output=False),
    "tools.lint.prose": ProgramRow(needs_output=False),
    "tools.local_stack": ProgramRow(needs_output=False, wrong=("POSTGRES_PORT", "run")),
    "tools.local_stack.aws_server": ProgramRow(needs_output=False),
    "tools.local_stack.bootstrap": ProgramRow(needs_output=False),
    "tools.local_stack.connected": ProgramRow(needs_output=False),
    "tools.local_stack.containers": ProgramRow("", codes=(1,), needs_output=False, wrong=("AWS_REGION", "")),
    "tools.local_stack.pins": ProgramRow(needs_output=False),
}
OF_BENCH = {"tools.bench.bare_sends", "tools.bench.metered_worker", "tools.bench.postman_site.fill"}
"""Started by a measurement alone, with arguments that only it has."""
NEEDS_MATPLOTLIB = {"tools.bench.plots"}
"""In .venv/bench alone."""

NAMES = [*COMMANDS, *(name for name in PROGRAMS if name not in NEEDS_MATPLOTLIB or find_spec("matplotlib"))]
each_command = pytest.mark.parametrize("name", NAMES)


def row_of(name: str) -> Row:
    return COMMANDS.get(name) or PROGRAMS[name]


def program(name: str, *more: str, arguments: str | None = None) -> list[str]:
    """Return the command line, as in `manage.py check`."""
    words = (row_of(name).arguments if arguments is None else arguments).split()
    start = ["manage.py", name] if name in COMMANDS else ["-m", name]
    return [*start, *(word.replace("+", " ") for word in words), *more]


@cache
def own(name: str) -> StackCommand | None:
    """Return the project's own command of this name."""
    if name not in COMMANDS:
        return None
    command = load_command_class(get_commands()[name], name)
    return command if isinstance(command, StackCommand) else None


def parts_of(name: str) -> set[str]:
    """Return the parts of the stack that the command requires."""
    command = own(name)
    return {*row_of(name).needs, *(part().name for part in (command.needs if command else ()))}


class Processes:
    """Programs on a stack of their own: a database, a table and a user pool that no other test sees."""

    def __init__(self, base: Path, environment: dict[str, str]) -> None:
        self.base = base
        self.warm = Server(environment, set_up=True)
        self.cold = Server(environment, set_up=False)
        self.ordinary_answers: dict[str, Answer] = {}

    def directory(self) -> Path:
        """Return an empty directory for one program."""
        directory = self.base / uuid4().hex
        directory.mkdir()
        return directory

    def ordinary(self, name: str) -> Answer:
        """Return the command's answer when nothing is wrong but that it has no standard input."""
        if name not in self.ordinary_answers:
            self.ordinary_answers[name] = self.warm.run(program(name), self.directory(), stdin=None)
        return self.ordinary_answers[name]


@pytest.fixture(scope="module")
def processes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Processes]:
    mark = uuid4().hex[:8]
    database, table = f"cruddur_commands_{mark}", f"commands-{mark}"
    cognito = connect(endpoint_url=settings.COGNITO_ENDPOINT_URL, region=settings.AWS_REGION)
    pool = cognito.create_user_pool(PoolName=f"commands-{mark}", UsernameAttributes=["email"])["UserPool"]["Id"]
    environment = {
        **{name: value for name, value in os.environ.items() if name not in OF_THE_TERMINAL},
        "DJANGO_SETTINGS_MODULE": "cruddur.settings",
        "DATABASE_URL": urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{database}").geturl(),
        "DDB_MESSAGE_TABLE": table,
        "COGNITO_USER_POOL_ID": pool,
        "OIDC_OP_ISSUER": f"https://cognito-idp.{settings.AWS_REGION}.amazonaws.com/{pool}",
        "CRUDDUR_LOCAL_DIR": str(tmp_path_factory.mktemp("local")),
        "TERM": "xterm",
    }
    with ExitStack() as end:
        end.callback(cognito.delete_user_pool, UserPoolId=pool)
        processes = Processes(tmp_path_factory.mktemp("commands"), environment)
        end.callback(processes.warm.close)
        end.callback(processes.cold.close)
        assert_ends(processes.cold.run(["manage.py", "setup"], processes.directory()))
        yield processes
        for command in (["ddb_drop", table, "--yes"], ["db_drop", database, "--yes", "--force"]):
            assert_ends(processes.warm.run(["manage.py", *command], processes.directory()))


def assert_ends(answer: Answer, codes: Sequence[int] = (0,)) -> None:
    assert answer.code is not None, f"it hung\n{answer.out}{answer.err}"
    assert "Traceback" not in answer.out + answer.err, answer.err or answer.out
    assert answer.code in codes, answer.err or answer.out


def test_every_command_and_program_has_a_row() -> None:
    programs = {
        file.relative_to(ROOT).with_suffix("").as_posix().replace("/", ".").removesuffix(".__main__")
        for file in tracked_modules()
        if any(is_main_guard(node) for node in ast.parse(file.read_text()).body)
    }

    assert get_commands().keys() == COMMANDS.keys(), "a command needs arguments for its ordinary work here"
    assert programs - {"manage"} == PROGRAMS.keys() | OF_BENCH, "a program needs arguments for its ordinary work here"


def tracked_modules() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "*.py"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [ROOT / name for name in listed.split() if not name.startswith("tests/") and (ROOT / name).exists()]


def is_main_guard(node: ast.stmt) -> bool:
    return isinstance(node, ast.If) and ast.unparse(node.test) == "__name__ == '__main__'"


@each_command
def test_closed_input(processes: Processes, name: str) -> None:
    answer = processes.ordinary(name)

    assert_ends(answer, row_of(name).codes)
    assert answer.err or answer.code == 0


@each_command
def test_closed_output(processes: Processes, name: str) -> None:
    answer = processes.warm.run(program(name), processes.directory(), stdout=None)

    if getattr(row_of(name), "needs_output", True):
        assert_ends(answer, (1,))
        assert "Standard output is closed" in answer.err
    else:
        assert_ends(answer, row_of(name).codes)


@each_command
def test_full_output(processes: Processes, name: str) -> None:
    answer = processes.warm.run(program(name), processes.directory(), stdout=FULL)

    ordinary = processes.ordinary(name)
    if getattr(row_of(name), "needs_output", True) and ordinary.out:
        assert_ends(answer, (1,))
        assert "No space left" in answer.err or ordinary.code
    else:
        assert_ends(answer, row_of(name).codes)


@each_command
def test_output_that_is_not_utf8(processes: Processes, name: str) -> None:
    more = ["--json"] if own(name) else []
    answer = processes.warm.run(program(name, *more), processes.directory(), variables={"PYTHONIOENCODING": "ascii"})

    assert_ends(answer, row_of(name).codes)
    assert answer.out.isascii() or not more
    for document in [answer.out] if name == ONE_DOCUMENT else answer.out.splitlines() if more else ():
        json.loads(document)


@pytest.mark.parametrize("name", [name for name in NAMES if own(name)])
def test_sixty_columns(processes: Processes, name: str) -> None:
    """With -v0, which leaves the product: what people are told besides are sentences, which terminals wrap."""
    answer = processes.warm.run_on_terminal(program(name, "-v0"), processes.directory(), columns=COLUMNS)

    assert_ends(answer, row_of(name).codes)
    if not answer.code and name != ONE_DOCUMENT:
        plain = re.sub(r"\x1b\[[0-9;]*m", "", answer.out)
        assert [line for line in plain.splitlines() if len(line) > COLUMNS] == []


@each_command
def test_no_color(processes: Processes, name: str) -> None:
    answer = processes.warm.run_on_terminal(
        program(name), processes.directory(), columns=COLUMNS, variables={"NO_COLOR": "1"}
    )

    assert_ends(answer, row_of(name).codes)
    assert "\x1b" not in answer.out


@each_command
def test_unknown_option(processes: Processes, name: str) -> None:
    if name == "tools.local_stack.pins":
        pytest.skip("what it does not know is for uv")
    arguments = f"--no-such-option {row_of(name).arguments}"
    answer = processes.warm.run(program(name, arguments=arguments), processes.directory())

    # --help answers whatever else is there.
    assert_ends(answer, (0,) if "--help" in row_of(name).arguments else (2,))
    assert "--no-such-option" in answer.err or not answer.code


@each_command
@pytest.mark.parametrize("number", CTRL_C)
def test_ctrl_c_at_any_moment(processes: Processes, name: str, number: int) -> None:
    life = processes.ordinary(name).seconds + processes.ordinary("check").seconds
    moment = random.Random(f"{SEED} {name} {number}").uniform(0, life * BESIDE)
    answer = processes.cold.run(program(name), processes.directory(), stop_after=moment)

    how = f"after {moment:.4f} s of {life:.2f}; again with COMMANDS_SEED={SEED}\n{answer.err}"
    assert "Traceback" not in answer.err, how
    # In its last moment, all of its output written, Python has given the signal back to the system.
    assert answer.code in (130, *row_of(name).codes, -signal.SIGINT), how
    if answer.code == 130:
        assert "topped" in answer.err, how
    if answer.code == -signal.SIGINT:
        assert answer.out or not processes.ordinary(name).out, how


@pytest.mark.parametrize(("name", "part"), [(name, part) for name in NAMES for part in sorted(parts_of(name))])
def test_a_part_that_is_down(processes: Processes, name: str, part: str) -> None:
    answer = processes.cold.run(program(name), processes.directory(), variables=DOWN[part])

    assert_ends(answer, (1,))
    assert any(word in answer.err for word in (part, "The database")), answer.err
    assert any(variable in answer.err for variable in DOWN[part]), answer.err


@each_command
def test_parts_that_it_does_not_need_are_down(processes: Processes, name: str) -> None:
    down = [DOWN[part] for part in DOWN if part not in parts_of(name)]
    variables = {variable: value for values in down for variable, value in values.items()}
    answer = processes.cold.run(program(name), processes.directory(), variables=variables)

    assert_ends(answer, row_of(name).codes)


def wrong_variables() -> Iterator[tuple[str, str, str]]:
    """Yield each command of manage.py with its share of the variables, and each program with one it reads.

    `check` gets all.
    """
    for (name, row), variable in zip(cycle(COMMANDS.items()), VARIABLES, strict=False):
        yield name, variable, row.arguments
        yield "check", variable, ""
    for name, row in PROGRAMS.items():
        if row.wrong[0]:
            yield name, *row.wrong


@pytest.mark.parametrize(("name", "variable", "arguments"), list(wrong_variables()))
def test_a_variable_that_is_wrong(processes: Processes, name: str, variable: str, arguments: str) -> None:
    answer = processes.cold.run(
        program(name, arguments=arguments), processes.directory(), variables={variable: WRONG[variable][0]}
    )

    if row_of(name).without_settings:
        assert_ends(answer, (*row_of(name).codes, 1))
    else:
        assert_ends(answer, (1,))
    if answer.code not in row_of(name).codes or not row_of(name).without_settings:
        assert re.search(rf"^{variable} ", answer.err, re.MULTILINE), answer.err


@pytest.mark.parametrize(("number", "name"), list(enumerate(COMMANDS)))
def test_a_variable_that_production_lacks(processes: Processes, number: int, name: str) -> None:
    lacking = REQUIRED[number % len(REQUIRED)]
    production = {"CRUDDUR_ENV": "production", "APP_URL": "https://localhost"}
    answer = processes.cold.run(program(name), processes.directory(), variables={**production, lacking: ""})

    if row_of(name).without_settings:
        assert_ends(answer, (*row_of(name).codes, 1))
    else:
        assert_ends(answer, (1,))
        assert f"{lacking} is not set" in answer.err


def test_missing_and_unknown_command_names(processes: Processes) -> None:
    for words, sentence in ((), "Name a command"), (("no_such_command",), "no_such_command"):
        answer = processes.warm.run(["manage.py", *words], processes.directory())
        assert_ends(answer, (2,))
        assert sentence in answer.err
        assert answer.out == ""
