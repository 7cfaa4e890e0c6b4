"""What requests to DynamoDB consume and how long they take, noted while they are made. Knows neither Django nor boto3.

with metered(table.client) as requests:
    table.conversation(group_uuid)
requests[0].read_units  # 1.0
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
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


Note = Callable[[Request, Mapping[str, Any], Mapping[str, Any]], None]
"""Takes a request that has ended, its parameters, and its answer, which is empty when there was none."""


@contextmanager
def metered(client: DynamoDBClient) -> Iterator[Sequence[Request]]:
    """Note the requests that any thread makes with this client; gives the list to which they are added as they end.

    The requests ask for the capacity they consume (TOTAL), unless their caller asked already. Meters may be nested.
    """
    requests: list[Request] = []
    meter = _Meter(lambda request, _parameters, _answer: requests.append(request), "TOTAL")
    for event, handler in meter.handlers.items():
        client.meta.events.register(event, handler)
    try:
        yield requests
    finally:
        for event, handler in meter.handlers.items():
            client.meta.events.unregister(event, handler)


def watch(client: DynamoDBClient, note: Note) -> None:
    """Note every request of this client from now on, on the thread that makes it, with its capacity by index."""
    for event, handler in _Meter(note, "INDEXES").handlers.items():
        client.meta.events.register(event, handler)


class _Meter:
    """The events of one request share a `context`, whatever its thread: when it began is kept there."""

    def __init__(self, note: Note, capacity: str) -> None:
        self.note = note
        self.capacity = capacity
        self.key = f"cruddur-meter-{id(self)}"
        self.handlers: dict[str, Callable[..., None]] = {
            "before-parameter-build": self.ask,
            "before-call": self.begin,
            "after-call": self.answered,
            "after-call-error": self.failed,
        }

    def ask(self, params: dict[str, Any], model: Any, context: dict[str, Any], **_: Any) -> None:
        if model.input_shape and "ReturnConsumedCapacity" in model.input_shape.members:
            params.setdefault("ReturnConsumedCapacity", self.capacity)
        context[f"{self.key}-parameters"] = params

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
        request = Request(
            operation=operation,
            read_units=units if is_read else None,
            write_units=None if is_read else units,
            items=_items(answer),
            milliseconds=round((time.perf_counter() - began) * 1000, 1),
            error=error,
        )
        self.note(request, context.pop(f"{self.key}-parameters", {}), answer)


def _units(consumed: Any) -> float | None:
    """Of one table, or of several, as batches and transactions report them."""
    if not consumed:
        return None
    return float(sum(each.get("CapacityUnits", 0) for each in ([consumed] if isinstance(consumed, dict) else consumed)))


def units_by_index(answer: Mapping[str, Any]) -> Iterator[tuple[str, str, float]]:
    """Table, index ("" for the table itself) and the units that an answer says they consumed."""
    consumed = answer.get("ConsumedCapacity") or []
    for each in [consumed] if isinstance(consumed, dict) else consumed:
        table = each.get("TableName", "")
        indexes = {**each.get("GlobalSecondaryIndexes", {}), **each.get("LocalSecondaryIndexes", {})}
        for index, its in indexes.items():
            yield table, index, float(its.get("CapacityUnits", 0))
        # Not every emulator tells them apart: then it is all the table's.
        rest = each.get("CapacityUnits", 0) - sum(its.get("CapacityUnits", 0) for its in indexes.values())
        yield table, "", float(each["Table"].get("CapacityUnits", 0) if "Table" in each else rest)


def _items(answer: dict[str, Any]) -> int:
    match answer:
        case {"Count": int(count)}:
            return count
        case {"Responses": dict(tables)}:
            return sum(map(len, tables.values()))
        case {"Responses": list(responses)}:
            return sum("Item" in each for each in responses)
    return int("Item" in answer)
