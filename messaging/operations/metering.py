"""What requests to DynamoDB consume and how long they take, noted while they are made. Knows neither Django nor boto3.

with metered(table.client) as requests:
    table.conversation(group_uuid)
requests[0].read_units  # 1.0
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

READS = frozenset(("BatchGetItem", "GetItem", "Query", "Scan", "TransactGetItems"))
REFUSED = 300
"""The HTTP status from which an answer is an error."""


@dataclass(frozen=True, slots=True)
class Request:
    """A request that was answered, refused or given up."""

    operation: str
    read_units: float | None
    """As DynamoDB reports them; None when it reports none, as for a request that is no read or was refused."""
    write_units: float | None
    items: int
    """That came back."""
    milliseconds: float
    """From the call to its answer, to a tenth; repetitions by botocore and the waits between them included."""
    error: str | None = None
    """The error's code, or the name of the exception when there was no answer."""


@dataclass(frozen=True, slots=True)
class Total:
    """Sums over requests; units that were not reported count as 0."""

    requests: int
    read_units: float
    write_units: float
    milliseconds: float
    errors: int


def total(requests: Iterable[Request]) -> Total:
    """What the requests took together; milliseconds add up, also of requests that were made at the same time."""
    made = list(requests)
    return Total(
        requests=len(made),
        read_units=sum(each.read_units or 0 for each in made),
        write_units=sum(each.write_units or 0 for each in made),
        milliseconds=round(sum(each.milliseconds for each in made), 1),
        errors=sum(each.error is not None for each in made),
    )


@contextmanager
def metered(client: DynamoDBClient) -> Iterator[Sequence[Request]]:
    """Note the requests that any thread makes with this client; gives the list to which they are added as they end.

    The requests ask for the capacity they consume (TOTAL), unless their caller asked already. Meters may be nested.
    """
    meter = _Meter()
    events = client.meta.events
    handlers: dict[str, Callable[..., None]] = {
        "before-parameter-build": meter.ask,
        "before-call": meter.begin,
        "after-call": meter.answered,
        "after-call-error": meter.failed,
    }
    for event, handler in handlers.items():
        events.register(event, handler)
    try:
        yield meter.requests
    finally:
        for event, handler in handlers.items():
            events.unregister(event, handler)


class _Meter:
    """The events of one request share a `context`, whatever its thread: when it began is kept there."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.key = f"cruddur-meter-{id(self)}"

    def ask(self, params: dict[str, Any], model: Any, **_: Any) -> None:
        if model.input_shape and "ReturnConsumedCapacity" in model.input_shape.members:
            params.setdefault("ReturnConsumedCapacity", "TOTAL")

    def begin(self, model: Any, context: dict[str, Any], **_: Any) -> None:
        context[self.key] = model.name, time.perf_counter()

    def answered(self, http_response: Any, parsed: dict[str, Any], context: dict[str, Any], **_: Any) -> None:
        refused = http_response.status_code >= REFUSED
        self._note(context, parsed, parsed.get("Error", {}).get("Code", "Unknown") if refused else None)

    def failed(self, exception: Exception, context: dict[str, Any], **_: Any) -> None:
        self._note(context, {}, type(exception).__name__)

    def _note(self, context: dict[str, Any], answer: dict[str, Any], error: str | None) -> None:
        if self.key not in context:  # it was begun before the meter
            return
        operation, began = context.pop(self.key)
        units = _units(answer.get("ConsumedCapacity"))
        is_read = operation in READS
        self.requests.append(
            Request(
                operation=operation,
                read_units=units if is_read else None,
                write_units=None if is_read else units,
                items=_items(answer),
                milliseconds=round((time.perf_counter() - began) * 1000, 1),
                error=error,
            )
        )


def _units(consumed: Any) -> float | None:
    """Of one table, or of several, as batches and transactions report them."""
    if not consumed:
        return None
    return float(sum(each.get("CapacityUnits", 0) for each in ([consumed] if isinstance(consumed, dict) else consumed)))


def _items(answer: dict[str, Any]) -> int:
    match answer:
        case {"Count": int(count)}:
            return count
        case {"Responses": dict(tables)}:
            return sum(map(len, tables.values()))
        case {"Responses": list(responses)}:
            return sum("Item" in each for each in responses)
    return int("Item" in answer)
