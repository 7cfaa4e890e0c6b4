"""The stacks of a deployment: their order, their outputs, and which of them are kept."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cruddur.problem import Problem

from .aws import Account, ServiceError, is_refused_as

if TYPE_CHECKING:
    from types_boto3_cloudformation.type_defs import ParameterTypeDef, StackTypeDef

TEMPLATES = Path(__file__).parent / "templates"
BEFORE_ARTIFACTS = ("base",)
BEFORE_COMMANDS = ("table", "pool", "network", "ways", "database", "roles", "stream", "tasks")
AFTER_COMMANDS = ("service",)
ORDER = (*BEFORE_ARTIFACTS, *BEFORE_COMMANDS, *AFTER_COMMANDS)
"""In order of deployment. Outputs become parameters of the same name in later stacks."""
KEPT = ("table", "pool", "network", "database")
"""The stacks that hold data, and the network of the database."""
POLL_SECONDS = 3.0
GIVEN_UP = ("ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED")
"""States after a failed creation: the stack can only be deleted."""

Say = Callable[[str], None]


@dataclass(frozen=True)
class Stacks:
    """The stacks of one deployment in an account. `say` is called with a sentence for each step."""

    account: Account
    name: str
    say: Say
    templates: Path = TEMPLATES
    poll_seconds: float = POLL_SECONDS
    outputs: dict[str, str] = field(default_factory=dict)
    """Outputs of the stacks so far."""

    def stack_name(self, part: str) -> str:
        return f"{self.name}-{part}"

    def read(self) -> Mapping[str, str]:
        """Return the outputs of the stacks that exist."""
        for part in ORDER:
            if stack := self._describe(part):
                self._keep_outputs(stack)
        return self.outputs

    def bring_up(self, part: str, given: Mapping[str, str]) -> None:
        """Create the stack or bring it up to its template, with the parameters given and those handed on.

        A parameter that neither names stays as it was. Raises Problem when AWS cannot.
        """
        body = (self.templates / f"{part}.yaml").read_text()
        existing = self._describe(part)
        if existing and existing["StackStatus"].endswith("_IN_PROGRESS"):
            existing = self._wait(part)  # an operation of an earlier run
        if existing and existing["StackStatus"] in GIVEN_UP:
            self._delete(part)
            existing = None
        parameters = self._parameters(body, {**self.outputs, **given}, existing, part)
        request: dict[str, Any] = {
            "StackName": self.stack_name(part),
            "TemplateBody": body,
            "Parameters": parameters,
            "Capabilities": ["CAPABILITY_NAMED_IAM"],
            "Tags": [{"Key": "application", "Value": "cruddur-messages"}, {"Key": "deployment", "Value": self.name}],
        }
        began, done = time.monotonic(), "updated" if existing else "created"
        if existing is None:
            self.account.cloudformation.create_stack(**request, OnFailure="ROLLBACK")
        else:
            try:
                self.account.cloudformation.update_stack(**request)
            except ServiceError as error:
                if not is_refused_as(error, "ValidationError", saying="No updates"):
                    raise
                self._keep_outputs(existing)
                self.say(f"  {part:9} as it was")
                return
        self.say(f"  {part:9} is being {done}")
        self._keep_outputs(self._wait(part))
        self.say(f"  {part:9} {done} in {time.monotonic() - began:.0f} s")

    def take_down(self, before: Callable[[str], None] = lambda part: None) -> None:
        """Delete what holds no data, last first. Call `before` with each stack's part before that is deleted."""
        for part in reversed(ORDER):
            if part in KEPT:
                continue
            if self._describe(part):
                self.say(f"  {part:9} is being deleted")
                before(part)
                self._delete(part)
                self.say(f"  {part:9} deleted")

    def kept(self) -> list[str]:
        """Return the names of the stacks that exist and are kept."""
        return [self.stack_name(part) for part in KEPT if self._describe(part)]

    def _parameters(
        self, body: str, values: Mapping[str, str], existing: StackTypeDef | None, part: str
    ) -> list[ParameterTypeDef]:
        before = {each["ParameterKey"] for each in existing.get("Parameters", [])} if existing else set[str]()
        declared = self.account.cloudformation.get_template_summary(TemplateBody=body)["Parameters"]
        parameters: list[ParameterTypeDef] = []
        for parameter in declared:
            name = parameter["ParameterKey"]
            if name in values:
                parameters.append({"ParameterKey": name, "ParameterValue": values[name]})
            elif name in before:
                parameters.append({"ParameterKey": name, "UsePreviousValue": True})
            elif parameter.get("DefaultValue") is None:
                raise Problem(f"The stack {part} needs {name}: add --set {name}=VALUE.")
        return parameters

    def _describe(self, part: str) -> StackTypeDef | None:
        try:
            stacks = self.account.cloudformation.describe_stacks(StackName=self.stack_name(part))["Stacks"]
        except ServiceError as error:
            if is_refused_as(error, "ValidationError", saying="does not exist"):
                return None
            raise
        return next((stack for stack in stacks if stack["StackStatus"] != "DELETE_COMPLETE"), None)

    def _wait(self, part: str) -> StackTypeDef:
        """Wait until no operation is in progress. Raises Problem with the first reason that AWS gives for a failure."""
        while (stack := self._describe(part)) and stack["StackStatus"].endswith("_IN_PROGRESS"):
            time.sleep(self.poll_seconds)
        if stack is None or "ROLLBACK" in stack["StackStatus"] or stack["StackStatus"].endswith("_FAILED"):
            raise Problem(f"The stack {self.stack_name(part)} failed: {self._first_reason(part)}")
        return stack

    def _first_reason(self, part: str) -> str:
        events = self.account.cloudformation.describe_stack_events(StackName=self.stack_name(part))["StackEvents"]
        reasons = [
            f"{event['LogicalResourceId']}: {event['ResourceStatusReason']}"
            for event in events  # newest first
            if event.get("ResourceStatus", "").endswith("_FAILED") and event.get("ResourceStatusReason")
        ]
        return reasons[-1] if reasons else "AWS names no reason; its console shows the events"

    def _delete(self, part: str) -> None:
        self.account.cloudformation.delete_stack(StackName=self.stack_name(part))
        while (stack := self._describe(part)) and stack["StackStatus"] == "DELETE_IN_PROGRESS":
            time.sleep(self.poll_seconds)
        if stack:
            raise Problem(f"The stack {self.stack_name(part)} was not deleted: {self._first_reason(part)}")

    def _keep_outputs(self, stack: StackTypeDef) -> None:
        self.outputs.update({each["OutputKey"]: each["OutputValue"] for each in stack.get("Outputs", [])})
