"""What Fargate does, as the emulator has no engine: containers of the deployed task definitions as processes here.

A container gets the variables and the secrets of its definition, as the templates have them. Replaced are addresses of
what only AWS has: Postgres, and Cognito's pages.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3  # noqa: TID251 - as the tests' own door

from cruddur.net import loopback_credentials
from deploy.aws import Account


@dataclass
class Fargate:
    """Runs the tasks of a cluster that the emulator only notes, each for as long as its command takes."""

    account: Account
    endpoint_url: str
    image: Path
    local: Mapping[str, str]
    """Replacements for addresses of AWS in a container's variables."""
    key: Mapping[str, str]
    """What replaces the credentials of the tasks' roles, which only AWS hands out: the key of the emulator."""
    ran: list[list[str]] = field(default_factory=list)
    _ended: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> Fargate:
        self.account.ecs.meta.events.register("before-parse.ecs.*", _spell_as_ecs)
        self._thread = threading.Thread(target=self._work)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def environment(self, task_definition: str, **more: str) -> dict[str, str]:
        """Return the variables of a task's container, with the replacements for addresses of AWS."""
        endpoints = dict.fromkeys(("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_DYNAMODB_STREAMS"), self.endpoint_url)
        told = self.environment_on_aws(task_definition)
        replaced = {name: value for name, value in self.local.items() if name in told}
        return {**told, **replaced, **endpoints, **self.key, **more}

    def environment_on_aws(self, task_definition: str) -> dict[str, str]:
        """Return the variables of the task definition with secrets resolved."""
        container = self._container(task_definition)
        found = {each["name"]: each["value"] for each in container["environment"]}
        found |= {each["name"]: self._secret(each["valueFrom"]) for each in container["secrets"]}
        kept = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
        return {**kept, "PYTHONDONTWRITEBYTECODE": "1", "PYTHONUNBUFFERED": "1", "PYTHONWARNINGS": "ignore", **found}

    def command(self, task_definition: str) -> list[str]:
        """Return the command of a task's container, if its definition names one."""
        return _here(self._container(task_definition)["command"])

    def _container(self, task_definition: str) -> dict[str, Any]:
        described = self.account.ecs.describe_task_definition(taskDefinition=task_definition)["taskDefinition"]
        (container,) = described["containerDefinitions"]
        assert container["readonlyRootFilesystem"]
        return dict(container)

    def _secret(self, value_from: str) -> str:
        """Resolve a secret as ECS does: `arn:key::` is a key of its JSON, a plain ARN the whole secret."""
        secret_id, _, key = value_from.removesuffix("::").rpartition(":") if value_from.endswith("::") else (
            value_from, "", "",
        )  # fmt: skip
        secrets = boto3.client(
            "secretsmanager", endpoint_url=self.endpoint_url, region_name=self.account.region,
            **loopback_credentials(self.endpoint_url),
        )  # fmt: skip
        text = secrets.get_secret_value(SecretId=secret_id)["SecretString"]
        return str(json.loads(text)[key]) if key else str(text)

    def _work(self) -> None:
        known = set[str]()
        while not self._ended.wait(0.05):
            for cluster in self.account.ecs.list_clusters()["clusterArns"]:
                for arn in self.account.ecs.list_tasks(cluster=cluster)["taskArns"]:
                    if arn not in known:
                        known.add(arn)
                        self._run(cluster, arn)

    def _run(self, cluster: str, arn: str) -> None:
        task = self.account.ecs.describe_tasks(cluster=cluster, tasks=[arn])["tasks"][0]
        overrides = task.get("overrides", {}).get("containerOverrides", [])
        if not overrides:  # a service's, which a test runs itself
            return
        command = overrides[0]["command"]
        self.ran.append(command)
        done = subprocess.run(
            _here(command), cwd=self.image, env=self.environment(task["taskDefinitionArn"]),
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
        )  # fmt: skip
        options = self._container(task["taskDefinitionArn"])["logConfiguration"]["options"]
        name = task["containers"][0]["name"]
        stream = f"{options['awslogs-stream-prefix']}/{name}/{arn.rpartition('/')[2]}"
        self.account.logs.create_log_stream(logGroupName=options["awslogs-group"], logStreamName=stream)
        now = int(time.time() * 1000)
        self.account.logs.put_log_events(
            logGroupName=options["awslogs-group"],
            logStreamName=stream,
            logEvents=[{"timestamp": now, "message": line} for line in done.stdout.splitlines() if line],
        )
        # The emulator notes 0 for what is stopped, and knows no other way to an exit code.
        assert done.returncode == 0, done.stdout
        self.account.ecs.stop_task(cluster=cluster, task=arn)


def _spell_as_ecs(response_dict: dict[str, Any], **_: object) -> None:
    """Make the first letter of names lower case: the emulator leaves some as CloudFormation spells them."""
    response_dict["body"] = json.dumps(_spelled(json.loads(response_dict["body"]))).encode()


def _spelled(value: Any) -> Any:
    if isinstance(value, dict):
        return {name[:1].lower() + name[1:]: _spelled(each) for name, each in value.items()}
    return [_spelled(each) for each in value] if isinstance(value, list) else value


def _here(command: Sequence[str]) -> list[str]:
    return [sys.executable if each == "python" else each for each in command]
