"""Scan the whole table in parallel, in constant memory. Does not use Django.

with Scan(client, "cruddur-messages", readers=4, segments=100) as scan:
    for page in scan:
        …
scan.totals.read_units
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from queue import SimpleQueue
from threading import Event, Lock, Semaphore, Thread
from time import monotonic, perf_counter
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from .client import translated_errors
from .codec import Item
from .item_kinds import MESSAGE, all_but, kind_of, only
from .retry import with_retries

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

MAX_READERS = 32
SEGMENT_BYTES = 1_000_000
"""Approximate size of a segment: one page.

For every page DynamoDB Local sorts the rest of its segment, so a million items in one segment take hours. AWS is fast
either way.
"""
MAX_SEGMENTS = 4_000
LEAVING_SECONDS = 1.0
"""How long to wait for running requests when the scan ends early."""


@dataclass(frozen=True, slots=True)
class Page:
    """The result of one request: at most 1 MB of items, before DynamoDB's filter."""

    items: list[Item]
    matched: int
    """Items that passed the filter; they are in `items` unless only their number was requested."""
    scanned: int
    """Items that were read."""


@dataclass(slots=True)
class Totals:
    """The scan's totals so far, including requests that were answered after it ended early."""

    requests: int = 0
    scanned: int = 0
    read_units: float = 0.0
    throttled: int = 0
    """Throttled responses."""
    seconds: float = 0.0
    """Duration of the `with` block so far."""


@dataclass(slots=True)
class Scan:
    """One scan, to be iterated once inside `with`, which always ends its threads.

    `readers` threads read pages from `segments` of the table; memory holds at most one page more than there are
    readers. `limit`: the most items each reader reads. `kind`: only items of this kind. `count`: only their numbers by
    kind, for the same read units. `consistent` reads cost twice the units and miss no earlier write.

    Iterating raises Unavailable when a page failed in spite of retries (see `retry`), and ServiceError.
    """

    client: DynamoDBClient
    table_name: str
    readers: int = 1
    segments: int = 1
    kind: str | None = None
    limit: int | None = None
    count: bool = False
    consistent: bool = True
    on_throttled: Callable[[], object] | None = None
    """Called once, by a reader, when the scan is first throttled."""
    totals: Totals = field(init=False, default_factory=Totals)
    _arrived: SimpleQueue[Page | BaseException | None] = field(init=False, default_factory=SimpleQueue)
    """Pages, the error that ended a reader, and None for a reader that finished."""
    _room: Semaphore = field(init=False)
    """Pages that may be requested before one is taken."""
    _stop: Event = field(init=False, default_factory=Event)
    _lock: Lock = field(init=False, default_factory=Lock)
    """Guards the totals."""
    _to_do: deque[dict[str, Any]] = field(init=False)
    """The requests for the next page of each segment, started segments first."""
    _began: float = field(init=False, default=0.0)
    _threads: list[Thread] = field(init=False, default_factory=list)

    def __post_init__(self) -> None:
        self._room = Semaphore(self.readers + 1)
        first = self._request()
        of_segment = ({"Segment": segment, "TotalSegments": self.segments} for segment in range(self.segments))
        self._to_do = deque([first | each for each in of_segment] if self.segments > 1 else [first])

    def __enter__(self) -> Self:
        self._began = perf_counter()
        for number in range(self.readers):
            # A daemon thread, so that an abandoned request cannot delay the program's exit.
            thread = Thread(target=self._read, name=f"scan-{number}", daemon=True)
            self._threads.append(thread)
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self._stop.set()
        self._room.release(self.readers)
        until = monotonic() + LEAVING_SECONDS
        for thread in self._threads:
            thread.join(max(0.0, until - monotonic()))
        self.totals.seconds = perf_counter() - self._began

    def __iter__(self) -> Iterator[Page]:
        reading = self.readers
        while reading:
            arrived = self._arrived.get()
            if arrived is None:
                reading -= 1
            elif isinstance(arrived, BaseException):
                raise arrived
            else:
                yield arrived
                self._room.release()

    def _read(self) -> None:
        """Run in a thread: read pages from whichever segment is next."""
        left = self.limit
        try:
            while left != 0 and self._to_do:
                request = self._to_do.popleft()
                self._room.acquire()
                if self._stop.is_set():
                    return
                if left is not None and not self.kind:
                    request["Limit"] = left
                matched = self._read_page(request)
                left = None if left is None else max(0, left - matched)
            self._arrived.put(None)
        except BaseException as error:  # noqa: BLE001 - raised where the pages are taken
            self._arrived.put(error)

    def _read_page(self, request: dict[str, Any]) -> int:
        """Deliver one page, and queue the request for the next; return how many items matched."""
        answer = self._answer(request)
        if "LastEvaluatedKey" in answer:
            self._to_do.appendleft(request | {"ExclusiveStartKey": answer["LastEvaluatedKey"]})
        self._arrived.put(Page(answer.get("Items", []), answer["Count"], answer["ScannedCount"]))
        return int(answer["Count"])

    def _request(self) -> dict[str, Any]:
        request: dict[str, Any] = {
            "TableName": self.table_name,
            "ConsistentRead": self.consistent,
            "ReturnConsumedCapacity": "TOTAL",
        }
        if self.kind:
            request |= only(self.kind)
            if self.count:
                request["Select"] = "COUNT"
        elif self.count:
            request |= all_but(MESSAGE)
        return request

    def _answer(self, request: dict[str, Any]) -> Any:
        answer = with_retries(partial(self._ask, request), stop=self._stop, on_throttled=self._note_throttled)
        with self._lock:
            self.totals.requests += 1
            self.totals.scanned += answer["ScannedCount"]
            self.totals.read_units += answer.get("ConsumedCapacity", {}).get("CapacityUnits", 0.0)
        return answer

    def _ask(self, request: dict[str, Any]) -> Any:
        with translated_errors():
            return self.client.scan(**request)

    def _note_throttled(self) -> None:
        with self._lock:
            self.totals.throttled += 1
            first = self.totals.throttled == 1
        if first and self.on_throttled:
            self.on_throttled()


def segments_for(size_bytes: int, *, readers: int) -> int:
    """Return the best number of segments for a table of this size: see `SEGMENT_BYTES`."""
    return max(readers, min(MAX_SEGMENTS, size_bytes // SEGMENT_BYTES))


def kinds_in(page: Page) -> Counter[str]:
    """Count the items of each kind in a page of a counting scan.

    Such a scan does not return messages, which are most items: they are the difference between read and returned items.
    """
    return Counter(map(kind_of, page.items)) + Counter({MESSAGE: page.scanned - page.matched})
