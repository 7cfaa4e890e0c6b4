"""Everything is deployed to the emulator from the templates, by the command; two people chat on what they made.

The emulator runs the deployed function on the table's stream by itself. Containers it only notes: `fargate` runs them,
with the image's files and the variables of the task definitions. What the emulator does not know is left out of the
templates here: `UNKNOWN`. RDS it notes too: the tests' Postgres takes its place.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import boto3  # noqa: TID251 - to call the function, which nothing of ours does
import django
import psycopg
import pytest
from playwright.sync_api import Browser, Page, expect

from cruddur.net import loopback_credentials
from deploy import commands
from deploy.aws import Account, connect
from deploy.command_line import main
from deploy.stacks import KEPT, ORDER, Stacks
from messaging.dynamodb.client import connect as connect_dynamodb
from messaging.dynamodb.codec import entry_from
from tests import html
from tests.deploy import image
from tests.deploy.fargate import Fargate
from tests.deploy.templates import template
from tools.local_stack.aws import AwsEmulator
from tools.local_stack.ports import free_port
from users.cognito import client as cognito

from .chat import messages, write
from .conftest import fill_in_sign_in
from .secrets import Secrets

UNKNOWN = {
    "AWS::ApplicationAutoScaling::ScalableTarget",
    "AWS::ApplicationAutoScaling::ScalingPolicy",
    "AWS::Cognito::ManagedLoginBranding",
    "AWS::S3::BucketPolicy",  # demands TLS, and the emulator speaks none
}
"""And alarms on several metrics. Of a large site also AWS::EC2::EIP and AWS::EC2::NatGateway: this is a small one."""
NAMELESS = {"StreamEndpointUrl": {"Value": "https://stream.invalid"}}
SERVICES = ("cloudformation", "ecr", "ecs", "lambda", "logs", "s3", "secretsmanager", "sts")
"""What the emulator serves here besides those that it always does, by its names."""
NAME = "cruddur-try"
PEOPLE = {"andrewbrown": "Andrew Brown", "bayko": "Bayko"}
PASSWORD = "nine zebras and no digit"
"""Long enough for the password policy of the template's pool, which demands no kinds of characters."""
SECONDS = 60.0
"""To wait for anything at most: other tests run beside these."""


def known_to_the_emulator(directory: Path) -> Path:
    """Copy the templates without the parts that the emulator rejects; return their directory."""
    for part in ORDER:
        whole = template(part)
        resources = {
            name: resource
            for name, resource in whole["Resources"].items()
            if resource["Type"] not in UNKNOWN and "Metrics" not in resource.get("Properties", {})
        }
        # The emulator's endpoints have no names.
        outputs = {name: NAMELESS.get(name, each) for name, each in whole["Outputs"].items()}
        (directory / f"{part}.yaml").write_text(json.dumps({**whole, "Resources": resources, "Outputs": outputs}))
    return directory


@dataclass
class Deployment:
    """What `python -m deploy up` made, and how to run it again."""

    account: Account
    outputs: dict[str, str]
    fargate: Fargate
    templates: Path
    url: str

    def run(self, what: str, *arguments: str) -> int:
        return main([what, "--name", NAME, "--region", "us-east-1", "--templates", str(self.templates), *arguments])

    def up(self, *more: str) -> int:
        return self.run(
            "up", "--domain", "localhost", "--certificate", "arn:aws:acm:us-east-1:000000000000:certificate/one",
            "--image", "cruddur:built-elsewhere", "--set", f"AppUrl={self.url}", *more,
        )  # fmt: skip


@pytest.fixture(scope="module")
def database() -> Iterator[str]:
    """Yield the address, with the owner's role, of a database that does not exist yet on the tests' Postgres."""
    parts = urlsplit(os.environ["DATABASE_URL"])
    name = f"deployed_{os.getpid()}"
    yield parts._replace(path=f"/{name}").geturl()
    with psycopg.connect(parts._replace(path="/postgres").geturl(), autocommit=True) as connection:
        connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        connection.execute(f'DROP ROLE IF EXISTS "{name}_app"')


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AwsEmulator]:
    """Start a separate emulator with the services that a deployment needs, Lambda among them."""
    emulator = AwsEmulator(tmp_path_factory.mktemp("emulator") / "aws", persist=False, services=SERVICES)
    emulator.start()
    yield emulator
    emulator.stop()


@pytest.fixture(scope="module")
def deployed(
    tmp_path_factory: pytest.TempPathFactory, emulator: AwsEmulator, database: str, collected_static_files: Path
) -> Iterator[Deployment]:
    endpoint = emulator.url
    account = connect(region="us-east-1", endpoint_url=endpoint)
    app = image.build(tmp_path_factory.mktemp("app"), static=collected_static_files)
    # The passwords apart, as the containers have them. The application's is the one that the template has made.
    parts = urlsplit(database)
    server = f"{parts.hostname}:{parts.port}"
    local = {
        "DATABASE_URL": parts._replace(netloc=f"{parts.path[1:]}_app@{server}").geturl(),
        "MIGRATION_DATABASE_URL": parts._replace(netloc=f"{parts.username}@{server}").geturl(),
        "MIGRATION_PGPASSWORD": parts.password or "",
        "APP_URL": "https://localhost",
    }
    fargate = Fargate(account, endpoint, app, local, emulator.key.environment())
    templates = known_to_the_emulator(tmp_path_factory.mktemp("templates"))
    deployment = Deployment(account, {}, fargate, templates, f"http://localhost:{free_port()}")
    with fargate, pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL", endpoint)  # for the command
        patch.setattr(commands, "SECONDS_AT_MOST", SECONDS)
        patch.setattr(commands, "POLL_SECONDS", 0.05)
        assert deployment.up() == 0
        deployment.outputs.update(Stacks(account, NAME, print).read())
        yield deployment


@pytest.fixture(scope="module")
def secrets() -> Secrets:
    """Collect the secrets that are typed here; no container may log any of them."""
    return Secrets()


@contextmanager
def container(deployed: Deployment, command: list[str], task: str, **more: str) -> Iterator[Callable[[], str]]:
    """Run a container of a service; yield a function that returns its output so far.

    At the end it is told to stop, as ECS does.
    """
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(
            command, cwd=deployed.fargate.image, env=deployed.fargate.environment(deployed.outputs[task], **more),
            stdout=log, stderr=subprocess.STDOUT,
        )  # fmt: skip

        def written() -> str:
            assert process.poll() in (None, 0)
            return os.pread(log.fileno(), 10_000_000, 0).decode()

        try:
            yield written
            process.send_signal(signal.SIGTERM)
            assert process.wait(SECONDS) in (0, -signal.SIGTERM)  # uvicorn ends in order, then by the signal
        finally:
            process.kill()
            process.wait()


def until(holds: Callable[[], bool]) -> None:
    """Wait for it."""
    deadline = time.monotonic() + SECONDS
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.fixture(scope="module")
def web(deployed: Deployment, secrets: Secrets) -> Iterator[str]:
    """Run the web server's container; yield its address."""
    emulator = deployed.fargate.endpoint_url.replace("127.0.0.1", "localhost")
    pool = deployed.outputs["UserPoolId"]
    port = urlsplit(deployed.url).port
    assert port
    # Cognito's pages are the emulator's, and a browser here speaks http.
    here = {
        "APP_URL": deployed.url,
        "COGNITO_DOMAIN": emulator,
        "OIDC_OP_JWKS_ENDPOINT": f"{emulator}/{pool}/.well-known/jwks.json",
    }
    with container(deployed, image.command(port=port), "WebTaskArn", **here) as written:
        until(lambda: bool(written()) and answers(f"{deployed.url}/healthz"))
        yield deployed.url
        assert "/oidc/callback/" in written()
        assert secrets.found_in(written()) == []


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=60) as answer:  # noqa: S310 - our own
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def lists(deployed: Deployment) -> dict[UUID, Any]:
    """Return every entry of the table by its member, read from DynamoDB."""
    client = connect_dynamodb(endpoint_url=deployed.fargate.endpoint_url, region="us-east-1")
    items = client.scan(TableName=deployed.outputs["TableName"], ConsistentRead=True)["Items"]
    return {
        entry.user_uuid: entry for entry in map(entry_from, (each for each in items if each["pk"]["S"][:3] == "GRP"))
    }


def sign_in(browser: Browser, url: str, handle: str, secrets: Secrets) -> Page:
    context = browser.new_context(base_url=url)
    context.on("request", secrets.note_request)
    page = context.new_page()
    page.goto("/")
    page.get_by_role("button", name="Sign in to chat").click()
    fill_in_sign_in(page, handle, password=PASSWORD)
    page.wait_for_url("**/messages")
    return page


def test_the_command_made_every_stack_and_set_the_site_up(deployed: Deployment) -> None:
    assert deployed.fargate.ran == [["python", "manage.py", "setup", "--no-seed"]]
    assert {"LoadBalancerAddress", "SignInUrl", "DatabaseHost", "FunctionName", "OperatorTaskArn"} <= set(
        deployed.outputs
    )


def test_the_tables_are_not_the_applications(deployed: Deployment, database: str) -> None:
    told = deployed.fargate.environment(deployed.outputs["WebTaskArn"])

    with psycopg.connect(database) as connection:
        owners = {
            owner for (owner,) in connection.execute("SELECT tableowner FROM pg_tables WHERE schemaname = 'public'")
        }

    assert owners == {urlsplit(database).username}
    assert urlsplit(told["DATABASE_URL"]).username not in owners
    assert "MIGRATION_DATABASE_URL" not in told


def test_containers_get_every_required_variable_and_no_other(deployed: Deployment) -> None:
    environment = deployed.fargate.environment_on_aws(deployed.outputs["WebTaskArn"])

    done = subprocess.run(
        [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"], cwd=deployed.fargate.image,
        env={**environment, "APP_URL": "https://messages.example.com"}, capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert done.returncode == 0, done.stderr


def test_two_people_chat_on_it_and_the_function_moves_their_lists(
    deployed: Deployment, web: str, browser: Browser, secrets: Secrets
) -> None:
    client = cognito.connect(endpoint_url=deployed.fargate.endpoint_url, region="us-east-1")
    pool = cognito.UserPool(client, deployed.outputs["UserPoolId"])
    for handle, name in PEOPLE.items():
        email = f"{handle}@cruddur.example"
        pool.create_user(username=email, handle=handle, email=email, name=name, password=PASSWORD)
        pool.set_password(email, PASSWORD)
    before = image.files(deployed.fargate.image)
    bayko = sign_in(browser, web, "bayko", secrets)
    andrew = sign_in(browser, web, "andrewbrown", secrets)

    andrew.goto("/messages/new/bayko")
    write(andrew, "Does it run?")
    andrew.wait_for_url(re.compile(r"/messages/[0-9a-f-]{36}"))
    bayko.goto("/messages/requests")
    bayko.get_by_role("link", name="Andrew Brown").click()
    write(bayko, "On a stack of its own")
    expect(messages(andrew)).to_have_text(["Does it run?", "On a stack of its own"], timeout=SECONDS * 1000)
    write(andrew, "And nobody runs a worker")
    expect(messages(bayko).last).to_have_text("And nobody runs a worker", timeout=SECONDS * 1000)

    until(lambda: {entry.message for entry in lists(deployed).values()} == {"And nobody runs a worker"})
    assert {entry.last_seq for entry in lists(deployed).values()} == {3}
    assert image.files(deployed.fargate.image) == before, "something was written into the image"
    for page in (andrew, bayko):
        page.context.close()


def test_static_files_are_named_by_their_content_compressed_and_kept_for_ever(web: str) -> None:
    with urllib.request.urlopen(web, timeout=SECONDS) as page:  # noqa: S310 - our own
        sheets = html.attributes(html.parse(page.read().decode()), ".//link[@rel='stylesheet']", "href")
    (path,) = (sheet for sheet in sheets if re.fullmatch(r"/static/css/app\.[0-9a-f]{12}\.css", sheet))

    asked = urllib.request.Request(f"{web}{path}", headers={"Accept-Encoding": "br"})  # noqa: S310
    with urllib.request.urlopen(asked, timeout=SECONDS) as answer:  # noqa: S310
        assert answer.headers["Content-Encoding"] == "br"
        assert answer.headers["Cache-Control"] == "max-age=315360000, public, immutable"


def test_the_function_was_called_for_conversations_alone(deployed: Deployment) -> None:
    """After the chat: its 3 messages, 2 entries and the function's own writes are in the stream, too."""

    def batches() -> list[dict[str, Any]]:
        group = f"/aws/lambda/{deployed.outputs['FunctionName']}"
        events = deployed.account.logs.filter_log_events(logGroupName=group)["events"]
        return [json.loads(each["message"]) for each in events if '"batch projected"' in each["message"]]

    def records() -> int:
        return sum(batch["records"] for batch in batches())

    functions = boto3.session.Session(**loopback_credentials(deployed.fargate.endpoint_url)).client(
        "lambda", region_name="us-east-1", endpoint_url=deployed.fargate.endpoint_url
    )

    def all_are_told() -> bool:
        # The emulator waits 50 ms for what a call logs; what is later stands with the next call.
        functions.invoke(FunctionName=deployed.outputs["FunctionName"], Payload=b'{"Records": []}')
        return records() >= 3

    until(all_are_told)
    assert records() == 3
    assert any(batch["entries_moved"] for batch in batches())
    assert not any(batch["failed"] for batch in batches())


def test_the_worker_finds_its_stream_and_ends_when_it_is_told(deployed: Deployment) -> None:
    command = deployed.fargate.command(deployed.outputs["WorkerTaskArn"])

    with container(deployed, command, "WorkerTaskArn") as written:
        until(lambda: "reading arn:aws:dynamodb" in written())


def test_a_command_runs_inside_the_network(deployed: Deployment, capsys: pytest.CaptureFixture[str]) -> None:
    assert deployed.run("manage", "version") == 0

    assert django.__version__ in capsys.readouterr().out.splitlines()


def test_unmentioned_settings_stay_unchanged(deployed: Deployment) -> None:
    """Options that an update leaves out: every stack keeps the parameters it has."""
    told = list[str]()
    stacks = Stacks(deployed.account, NAME, told.append, deployed.templates)

    for part in ORDER:
        stacks.bring_up(part, {})

    assert told == [f"  {part:9} as it was" for part in ORDER]


def test_down_takes_what_holds_no_data(deployed: Deployment, capsys: pytest.CaptureFixture[str]) -> None:
    """The last: it takes the stack away."""
    assert deployed.run("down", "--yes") == 0

    told = capsys.readouterr().out
    assert [part for part in ORDER if f"  {part:9} deleted" in told] == [part for part in ORDER if part not in KEPT]
    assert "Kept: " + ", ".join(f"{NAME}-{part}" for part in KEPT) in told
    assert lists(deployed), "the table is there, with what it held"
