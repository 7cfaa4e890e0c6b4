"""Reads the whole table, side by side, with memory that does not grow with it. Knows no Django.

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
"""Of table in a segment, about, which is one page: for every page of a segment DynamoDB Local sorts what is left of it,
so that a million items in one segment take it hours. AWS minds neither way."""
MAX_SEGMENTS = 4_000
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

    The table is read in `segments`, by `readers`, a thread each, page by page of whatever segment is next; at most one
    page more than readers is in memory. `limit`: no reader reads more items than that. `kind`: only those items.
    `count`: their numbers alone, by kind, for the same read units. `consistent` reads cost twice the units of others
    and miss nothing that was written before.
    Iterating raises Unavailable when a page did not come in spite of retries (see `retry`), and ServiceError.
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
    """Called once, by a reader, when the scan first has to wait."""
    totals: Totals = field(init=False, default_factory=Totals)
    _arrived: SimpleQueue[Page | BaseException | None] = field(init=False, default_factory=SimpleQueue)
    """Pages, the error that ended a reader, and None for the regular end of one."""
    _room: Semaphore = field(init=False)
    """Pages that may still be asked for before one is taken."""
    _stop: Event = field(init=False, default_factory=Event)
    _lock: Lock = field(init=False, default_factory=Lock)
    """Held to change the totals."""
    _to_do: deque[dict[str, Any]] = field(init=False)
    """The requests for the next page of each segment, the ones that were begun first."""
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
            # A daemon, so that a request nobody waits for any more cannot hold up the end of the program.
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
        """Read one page after the other, in a thread, of whatever segment is next."""
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
        """Pass on one page, and note the one that follows it; returns how many items matched."""
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
    """Return in how many segments to read a table of this size: see `SEGMENT_BYTES`."""
    return max(readers, min(MAX_SEGMENTS, size_bytes // SEGMENT_BYTES))


def kinds_in(page: Page) -> Counter[str]:
    """Count the items of each kind in a page of a scan that counts all kinds.

    Messages are nearly everything and are not returned by such a scan: they are what was read and did not come.
    """
    return Counter(map(kind_of, page.items)) + Counter({MESSAGE: page.scanned - page.matched})
