"""Reads the whole table, in segments side by side, with memory that does not grow with it. Knows no Django.

with Scan(client, "cruddur-messages", segments=4) as scan:
    for page in scan:
        …
scan.totals.read_units
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from queue import SimpleQueue
from threading import Event, Lock, Semaphore, Thread
from time import monotonic, perf_counter
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from tenacity import (
    RetryCallState,
    Retrying,
    retry_base,
    retry_if_exception,
    retry_if_exception_type,
    sleep_using_event,
    stop_after_delay,
    stop_when_event_set,
    wait_random_exponential,
)

from .aws import Throttled, Unavailable, translated_errors
from .item_kinds import MESSAGE, all_but, kind_of, only
from .items import Item

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

MAX_SEGMENTS = 32
THROTTLED_SECONDS = 900.0
"""How long a throttled page is asked for: 5 units a second need a minute for what one page of 1 MB costs."""
FAILING_SECONDS = 15.0
"""How long a page is asked for while DynamoDB fails or does not answer."""
LONGEST_WAIT = 20.0
"""Seconds between two attempts at most."""
LEAVING_SECONDS = 1.0
"""How long requests that are on their way are waited for when the scan ends early."""


@dataclass(frozen=True, slots=True)
class Page:
    """What one request brought: at most 1 MB of items, before DynamoDB's filter."""

    items: list[Item]
    matched: int
    """Items that passed the filter, which are in `items` unless only their number was asked for."""
    scanned: int
    """Items that were read."""


@dataclass(slots=True)
class Totals:
    """What the scan took so far; requests that were on their way when it was left are included if they came back."""

    requests: int = 0
    scanned: int = 0
    read_units: float = 0.0
    throttled: int = 0
    """Answers that said to come again later."""
    seconds: float = 0.0
    """From `with` to its end."""


@dataclass(slots=True)
class Scan:
    """One scan, to be iterated once, inside `with`, which ends its threads whatever happens.

    `segments` are read by a thread each; at most one page more than segments is in memory. `limit`: no segment reads
    more items than that. `kind`: only those items. `count`: their numbers alone, by kind, for the same read units.
    `consistent` reads cost twice the units of others and miss nothing that was written before.
    Iterating raises Unavailable when a page did not come in spite of `THROTTLED_SECONDS` of patience, and ServiceError.
    """

    client: DynamoDBClient
    table_name: str
    segments: int = 1
    kind: str | None = None
    limit: int | None = None
    count: bool = False
    consistent: bool = True
    totals: Totals = field(init=False, default_factory=Totals)
    _arrived: SimpleQueue[Page | Exception | None] = field(init=False, default_factory=SimpleQueue)
    """Pages, the error that ended a segment, and None for the regular end of one."""
    _room: Semaphore = field(init=False)
    """Pages that may still be asked for before one is taken."""
    _stop: Event = field(init=False, default_factory=Event)
    _adding: Lock = field(init=False, default_factory=Lock)
    _began: float = field(init=False, default=0.0)
    _readers: list[Thread] = field(init=False, default_factory=list)

    def __post_init__(self) -> None:
        self._room = Semaphore(self.segments + 1)

    def __enter__(self) -> Self:
        self._began = perf_counter()
        for segment in range(self.segments):
            # A daemon, so that a request nobody waits for any more cannot hold up the end of the program.
            reader = Thread(target=self._read, args=(segment,), name=f"scan-{segment}", daemon=True)
            self._readers.append(reader)
            reader.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self._stop.set()
        self._room.release(self.segments)
        until = monotonic() + LEAVING_SECONDS
        for reader in self._readers:
            reader.join(max(0.0, until - monotonic()))
        self.totals.seconds = perf_counter() - self._began

    def __iter__(self) -> Iterator[Page]:
        reading = self.segments
        while reading:
            arrived = self._arrived.get()
            if arrived is None:
                reading -= 1
            elif isinstance(arrived, Exception):
                raise arrived
            else:
                yield arrived
                self._room.release()

    def _read(self, segment: int) -> None:
        """A thread: every page of one segment."""
        request = self._request(segment)
        try:
            while self._room.acquire() and not self._stop.is_set() and self._read_page(request):
                pass
            self._arrived.put(None)
        except Exception as error:  # noqa: BLE001 - raised where the pages are taken
            self._arrived.put(error)

    def _read_page(self, request: dict[str, Any]) -> bool:
        """Read one page and make `request` the one for the next; False when there is none."""
        answer = self._answer(request)
        self._arrived.put(Page(answer.get("Items", []), answer["Count"], answer["ScannedCount"]))
        if "LastEvaluatedKey" not in answer or answer["ScannedCount"] >= request.get("Limit", math.inf):
            return False
        request["ExclusiveStartKey"] = answer["LastEvaluatedKey"]
        if "Limit" in request:
            request["Limit"] -= answer["ScannedCount"]
        return True

    def _request(self, segment: int) -> dict[str, Any]:
        request: dict[str, Any] = {
            "TableName": self.table_name,
            "ConsistentRead": self.consistent,
            "ReturnConsumedCapacity": "TOTAL",
        }
        if self.limit is not None and not self.kind:
            request["Limit"] = self.limit
        if self.segments > 1:
            request |= {"Segment": segment, "TotalSegments": self.segments}
        if self.kind:
            request |= only(self.kind)
            if self.count:
                request["Select"] = "COUNT"
        elif self.count:
            request |= all_but(MESSAGE)
        return request

    def _answer(self, request: dict[str, Any]) -> Any:
        for attempt in self._attempts(retry_if_exception_type(Throttled), THROTTLED_SECONDS, self._note_throttled):
            with attempt:
                answer = self._ask(request)
        with self._adding:
            self.totals.requests += 1
            self.totals.scanned += answer["ScannedCount"]
            self.totals.read_units += answer.get("ConsumedCapacity", {}).get("CapacityUnits", 0.0)
        return answer

    def _ask(self, request: dict[str, Any]) -> Any:
        for attempt in self._attempts(retry_if_exception(_is_failure), FAILING_SECONDS):
            with attempt, translated_errors():
                answer = self.client.scan(**request)
        return answer

    def _attempts(
        self, retry: retry_base, seconds: float, note: Callable[[RetryCallState], None] | None = None
    ) -> Retrying:
        """Attempts with longer and longer waits between them; they end at once when the scan does."""
        return Retrying(
            retry=retry,
            stop=stop_when_event_set(self._stop) | stop_after_delay(seconds),
            wait=wait_random_exponential(multiplier=0.2, max=LONGEST_WAIT),
            sleep=sleep_using_event(self._stop),
            before_sleep=note,
            reraise=True,
        )

    def _note_throttled(self, state: RetryCallState) -> None:
        with self._adding:
            self.totals.throttled += 1


def approximate_items(client: DynamoDBClient, table_name: str) -> int:
    """The table's items as DynamoDB last counted them, which on AWS may be six hours ago (1 call)."""
    with translated_errors():
        return client.describe_table(TableName=table_name)["Table"].get("ItemCount", 0)


def _is_failure(error: BaseException) -> bool:
    return isinstance(error, Unavailable) and not isinstance(error, Throttled)


def kinds_in(page: Page) -> Counter[str]:
    """How many items of each kind a page of a scan has that counts all kinds.

    Messages are nearly everything and are not returned by such a scan: they are what was read and did not come.
    """
    return Counter(map(kind_of, page.items)) + Counter({MESSAGE: page.scanned - page.matched})
