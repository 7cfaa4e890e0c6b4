"""Faults of the network between the application and DynamoDB, injected at botocore's before-send.

A disturbance is planned for one request of an action, by its number. The request is not executed, or is executed and
its answer lost, or is executed much later; the process dies before or after it; or somebody else acts first.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from botocore.awsrequest import AWSResponse  # noqa: TID251 - faults are made of botocore's own answers
from botocore.compat import HTTPHeaders  # noqa: TID251
from botocore.exceptions import EndpointConnectionError, ReadTimeoutError  # noqa: TID251

from tests.messaging.faults import Body, answer

from .tally import Broken, BrokenPromise, Tally

READS = ("GetItem", "BatchGetItem", "Query", "Scan")
WRITES = ("TransactWriteItems", "UpdateItem", "PutItem")


class ProcessDied(BaseException):
    """The process was killed: nothing in it goes on, and nobody gets an answer."""


class Fault(StrEnum):
    """What can happen to a request."""

    THROTTLED = "throttled"
    SERVER_ERROR = "server error"
    UNREACHABLE = "connection failed"
    CONFLICT = "conflict"
    FIRST_UNPROCESSED = "first key left unprocessed"
    LAST_UNPROCESSED = "last key left unprocessed"
    LOST_ANSWER = "done, answer lost"
    FAILED_ANSWER = "done, answered with a server error"
    LATE = "timed out, done later"
    DIED_BEFORE = "process died before it"
    DIED_AFTER = "process died after it"


UNPROCESSED = {Fault.FIRST_UNPROCESSED: 0, Fault.LAST_UNPROCESSED: -1}
"""Which of the keys."""
TO_WRITES = (Fault.CONFLICT, Fault.LOST_ANSWER, Fault.FAILED_ANSWER, Fault.LATE, Fault.DIED_AFTER)
"""What happens to writes alone, or would make no difference to a read."""


@dataclass(frozen=True, slots=True)
class Disturbance:
    """What happens to the requests `at`, `at + 1` … of an action, `times` of them, among those it can happen to."""

    at: int
    what: Any
    """A fault, or the action of somebody else before the request is sent."""
    times: int = 1

    def concerns(self, operation: str) -> bool:
        """Return whether the fault can happen to this operation."""
        if self.what in TO_WRITES:
            return operation in WRITES
        return operation == "BatchGetItem" if self.what in UNPROCESSED else True


@dataclass(slots=True)
class Plan:
    """The disturbances of one action, and what came of them."""

    disturbances: Sequence[Disturbance]
    seen: list[int] = field(default_factory=list)
    """How many requests came by that each of them can happen to."""
    faults: int = 0
    meanwhile: int = 0

    def __post_init__(self) -> None:
        self.seen = [0] * len(self.disturbances)

    def take(self, operation: str) -> Any:
        """Return the fault for this request, or None."""
        what = None
        for number, disturbance in enumerate(self.disturbances):
            if disturbance.concerns(operation):
                if disturbance.at <= self.seen[number] < disturbance.at + disturbance.times and what is None:
                    what = disturbance.what
                self.seen[number] += 1
        return what


@dataclass(slots=True)
class Network:
    """Between a client and its endpoint; requests without a plan pass."""

    client: Any
    tally: Tally
    act: Callable[[Any], object] | None = None
    """What performs somebody else's action."""
    late: list[tuple[str, Any]] = field(default_factory=list)
    """Operations and requests that are still on their way."""
    _plans: list[Plan] = field(default_factory=list)

    @contextmanager
    def attached(self) -> Iterator[None]:
        """Stand between the client and its endpoint."""
        events = self.client.meta.events
        events.register("before-send.dynamodb", self._before_send)
        try:
            yield
        finally:
            events.unregister("before-send.dynamodb", self._before_send)

    @contextmanager
    def disturbed(self, disturbances: Sequence[Disturbance]) -> Iterator[Plan]:
        """Disturb the requests of the block, and of no other."""
        plan = Plan(disturbances)
        self._plans.append(plan)
        try:
            yield plan
        finally:
            self._plans.pop()

    @property
    def plan(self) -> Plan:
        """Of the action that is going on."""
        return self._plans[-1]

    def deliver_late(self, number: int = 0) -> None:
        """Let a request that is still on its way be executed now; nobody waits for its answer."""
        if self.late:
            operation, request = self.late.pop(number % len(self.late))
            done = self._execute(request).status_code < 300
            self.tally.outcomes[f"late {operation} {'took effect' if done else 'was refused'}"] += 1

    def _before_send(self, request: Any, event_name: str, **_: Any) -> Any:
        if not self._plans:
            return None
        plan, operation = self._plans[-1], event_name.rpartition(".")[2]
        if operation in READS and not (b'"ConsistentRead": true' in request.body or b'"IndexName"' in request.body):
            # Emulators never answer with what was; DynamoDB does.
            raise BrokenPromise(Broken.LOST, f"a {operation} may miss what was acknowledged: {request.body}")
        what = plan.take(operation)
        if what is None:
            return None
        if not isinstance(what, Fault):
            plan.meanwhile += 1
            assert self.act
            self.act(what)
            return None
        plan.faults += 1
        self.tally.faults[what] += 1
        return self._inflict(what, operation, request)

    def _inflict(self, fault: Fault, operation: str, request: Any) -> Any:
        if fault in (Fault.LOST_ANSWER, Fault.FAILED_ANSWER, Fault.DIED_AFTER):
            self._execute(request)
        if fault in (Fault.DIED_BEFORE, Fault.DIED_AFTER):
            raise ProcessDied
        if fault is Fault.LATE:
            self.late.append((operation, request))
        if fault in (Fault.LATE, Fault.LOST_ANSWER):
            raise ReadTimeoutError(endpoint_url=request.url)
        if fault is Fault.UNREACHABLE:
            raise EndpointConnectionError(endpoint_url=request.url)
        if fault in UNPROCESSED:
            return self._unprocessed(request, UNPROCESSED[fault])
        return _refusal(fault, operation)

    def _execute(self, request: Any) -> Any:
        return self.client._endpoint.http_session.send(request)

    def _unprocessed(self, request: Any, which: int) -> Any:
        """Return the true answer with one of the keys left unprocessed."""
        (name, wanted), *_ = json.loads(request.body)["RequestItems"].items()
        left = wanted["Keys"][which]
        items = json.loads(self._execute(request).content)["Responses"].get(name, [])
        found = [item for item in items if any(item[key] != left[key] for key in left)]
        content = {"Responses": {name: found}, "UnprocessedKeys": {name: {**wanted, "Keys": [left]}}}
        return AWSResponse(request.url, 200, HTTPHeaders(), Body(json.dumps(content).encode()))


def _refusal(fault: Fault, operation: str) -> Any:
    if fault is Fault.THROTTLED:
        return answer("ProvisionedThroughputExceededException")()
    if fault is not Fault.CONFLICT:
        return answer("InternalServerError", 500)()
    if operation == "TransactWriteItems":
        reasons = [{"Code": "TransactionConflict"}, {"Code": "None"}]
        return answer("TransactionCanceledException", CancellationReasons=reasons)()
    return answer("TransactionConflictException")()
