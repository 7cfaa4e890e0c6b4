"""Run commands of manage.py as a task inside the network, with the operator's role."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence

from cruddur.problem import Problem

from .aws import Account

CONTAINER = "operator"
SECONDS_AT_MOST = 3600.0
POLL_SECONDS = 3.0


def manage(account: Account, outputs: Mapping[str, str], arguments: Sequence[str]) -> tuple[int, list[str]]:
    """Run `manage.py` with these arguments; returns its exit code and its lines. Raises Problem when it never ran."""
    answer = account.ecs.run_task(
        cluster=outputs["ClusterName"],
        taskDefinition=outputs["OperatorTaskArn"],
        launchType="FARGATE",
        networkConfiguration={
            "awsvpcConfiguration": {
                "subnets": outputs["ContainerSubnets"].split(","),
                "securityGroups": [outputs["WorkerSecurityGroup"]],
                "assignPublicIp": "ENABLED" if outputs["PublicAddresses"] == "ENABLED" else "DISABLED",
            }
        },
        overrides={"containerOverrides": [{"name": CONTAINER, "command": ["python", "manage.py", *arguments]}]},
    )
    if not answer["tasks"]:
        reasons = ", ".join(failure.get("reason", "") for failure in answer["failures"])
        raise Problem(f"ECS did not run the command: {reasons}")
    arn = answer["tasks"][0]["taskArn"]
    deadline = time.monotonic() + SECONDS_AT_MOST
    while True:
        task = account.ecs.describe_tasks(cluster=outputs["ClusterName"], tasks=[arn])["tasks"][0]
        if task["lastStatus"] == "STOPPED":
            break
        if time.monotonic() > deadline:
            raise Problem(f"The command has not ended in an hour; it goes on as task {arn}.")
        time.sleep(POLL_SECONDS)
    code = task["containers"][0].get("exitCode")
    if code is None:
        raise Problem(f"The command's container did not start: {task.get('stoppedReason', 'ECS says no reason')}")
    return code, _lines(account, outputs["OperatorLogName"], f"{CONTAINER}/{CONTAINER}/{arn.rpartition('/')[2]}")


def _lines(account: Account, group: str, stream: str) -> list[str]:
    lines, token = list[str](), ""
    while True:
        more = {"nextToken": token} if token else {}
        page = account.logs.get_log_events(
            logGroupName=group,
            logStreamName=stream,
            startFromHead=True,
            **more,  # type: ignore[arg-type]
        )
        lines += [event["message"] for event in page["events"]]
        if page["nextForwardToken"] == token:  # AWS repeats the token at the end
            return lines
        token = page["nextForwardToken"]
