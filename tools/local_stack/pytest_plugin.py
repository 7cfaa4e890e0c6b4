"""A temporary stack for the tests: Postgres, the AWS emulator and a user pool, deleted when pytest ends.

It starts before pytest-django reads the settings and sets their variables in the environment, so that the developer's
variables, `.env` and the stack of `make run` are not used. Workers of pytest-xdist inherit it.
CRUDDUR_TEST_DATABASE_URL and CRUDDUR_TEST_DYNAMODB_ENDPOINT_URL replace a part with another server.
CRUDDUR_TEST_DYNAMODB_LOCAL=1 replaces the emulator's DynamoDB with a DynamoDB Local for each test process.
"""

import fcntl
import os
import shutil
import signal
import tempfile
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import pytest

from cruddur.net import bypass_proxies

from .aws import AwsEmulator
from .cognito_pool import ensure_pool
from .ports import free_port
from .postgres import PostgresServer
from .problem import Problem
from .pytest_dynamodb_local import TestsDynamoDbLocal, emulator

REGION = "us-east-1"
# Dummy values that let the settings load when no tests run.
NOTHING = {
    "CRUDDUR_ENV": "test",
    "SECRET_KEY": "no tests run: a key that is as long as the settings ask",
    "APP_URL": "http://localhost:8000",
    "AWS_ENDPOINT_URL": "http://127.0.0.1:1",
}
PREFIX = "cruddur-test-"
APP_URLS = "CRUDDUR_TEST_APP_URLS"
NO_TESTS_RUN = ("-h", "--help", "-V", "--version", "--markers", "--fixtures", "--co", "--collect-only")
# Variables of a developer's shell that the tests must not see.
FOREIGN = (
    "ALLOWED_HOSTS", "AWS_DEFAULT_REGION", "AWS_PROFILE", "BEHIND_PROXY", "CRUDDUR_VERSION", "DEBUG", "DEBUG_PANEL",
    "LOG_LEVEL", "MIGRATION_DATABASE_URL",
    "MIGRATION_PGPASSWORD", "OIDC_OP_ISSUER", "OTEL_EXPORTER_OTLP_ENDPOINT", "REDIS_URL", "SECRET_KEY_FALLBACKS",
)  # fmt: skip


@dataclass
class ThrowAwayStack:
    """The parts that were started, in one temporary directory with a lock that marks it as in use."""

    directory: Path
    lock: IO[str]
    postgres: PostgresServer
    emulator: AwsEmulator

    @classmethod
    def start(cls) -> "ThrowAwayStack":
        bypass_proxies()
        remove_abandoned()
        directory = Path(tempfile.mkdtemp(prefix=PREFIX))
        directory.chmod(0o711)  # Postgres may run under another account
        lock = (directory / "lock").open("w")
        fcntl.flock(lock, fcntl.LOCK_EX)
        stack = cls(
            directory=directory,
            lock=lock,
            postgres=PostgresServer(directory / "postgres"),
            emulator=AwsEmulator(directory / "aws", region=REGION, persist=False),
        )
        try:
            stack.emulator.launch()
            if "CRUDDUR_TEST_DATABASE_URL" not in os.environ:
                stack.postgres.start()
            stack.emulator.wait_until_ready()
        except BaseException:
            stack.stop()
            raise
        return stack

    def environment(self, *, workers: int) -> dict[str, str]:
        """Return the variables for cruddur/settings.py for these parts, and the address of each worker's site."""
        app_urls = [f"http://localhost:{free_port()}" for _ in range(workers)]
        endpoint = self.emulator.url
        dynamodb = os.environ.get("CRUDDUR_TEST_DYNAMODB_ENDPOINT_URL", endpoint)
        # Also in this process, which creates the pool.
        os.environ.update(self.emulator.key.environment())
        pool = ensure_pool(endpoint_url=endpoint, public_url=self.emulator.public_url, region=REGION, app_urls=app_urls)
        return {
            **self.emulator.key.environment(),
            "CRUDDUR_ENV": "test",
            "SECRET_KEY": "a key for tests, which sign nothing that lasts longer",
            "APP_URL": app_urls[0],
            APP_URLS: " ".join(app_urls),
            "DATABASE_URL": os.environ.get("CRUDDUR_TEST_DATABASE_URL") or self.postgres.url,
            "AWS_REGION": REGION,
            "AWS_ENDPOINT_URL": endpoint,
            "AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER": endpoint,
            "AWS_ENDPOINT_URL_DYNAMODB": dynamodb,
            "AWS_ENDPOINT_URL_DYNAMODB_STREAMS": dynamodb,
            "AWS_EC2_METADATA_DISABLED": "true",
            "DDB_MESSAGE_TABLE": "cruddur-messages",
            "OIDC_OP_ISSUER": f"https://cognito-idp.{REGION}.amazonaws.com/{pool.pool_id}",
            **pool.environment(),
        }

    def stop(self) -> None:
        self.emulator.stop()
        self.postgres.remove()
        shutil.rmtree(self.directory, ignore_errors=True)
        self.lock.close()


def remove_abandoned() -> None:
    """Delete what killed test runs left; their processes ended with them."""
    for directory in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        try:
            with (directory / "lock").open() as lock:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                PostgresServer(directory / "postgres").remove()
                shutil.rmtree(directory, ignore_errors=True)
        except OSError:  # in use, being created, or another user's
            continue


_stack: ThrowAwayStack | None = None
_dynamodb_local: TestsDynamoDbLocal | None = None


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config, args: list[str]) -> Generator[None, None, None]:
    global _stack, _dynamodb_local  # noqa: PLW0603 - pytest's hooks are functions of a module
    # A shell starts background jobs with SIGINT ignored, and our children would inherit that.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    is_worker = "PYTEST_XDIST_WORKER" in os.environ
    runs_tests = is_worker or not any(argument in NO_TESTS_RUN for argument in args)
    try:
        if not is_worker:
            for name in FOREIGN:
                os.environ.pop(name, None)
            if runs_tests:
                _stack = ThrowAwayStack.start()
            workers = getattr(early_config.known_args_namespace, "numprocesses", None) or 1
            count = workers if isinstance(workers, int) else os.cpu_count() or 1
            os.environ.update(_stack.environment(workers=count) if _stack else NOTHING)
        else:
            urls = os.environ[APP_URLS].split()
            # The replacement of a crashed worker has the next number.
            os.environ["APP_URL"] = urls[int(os.environ["PYTEST_XDIST_WORKER"].removeprefix("gw")) % len(urls)]
        if runs_tests and os.environ.get("CRUDDUR_TEST_DYNAMODB_LOCAL"):
            amazons = emulator()  # before there are workers, each of which would fetch it
            if is_worker or not getattr(early_config.known_args_namespace, "numprocesses", None):
                _dynamodb_local = TestsDynamoDbLocal(amazons)
                os.environ.update(_dynamodb_local.environment())
    except Problem as problem:
        raise pytest.UsageError(str(problem)) from problem
    return (yield)


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> None:
    if _dynamodb_local and nextitem and nextitem.path != item.path:
        _dynamodb_local.begin_anew()


@pytest.hookimpl(trylast=True)
def pytest_unconfigure() -> None:
    global _stack, _dynamodb_local  # noqa: PLW0603
    if _dynamodb_local:
        _dynamodb_local.stop()
        _dynamodb_local = None
    if _stack:
        _stack.stop()
        _stack = None
