"""Many items at once, by BatchWriteItem; what DynamoDB leaves unprocessed is written again. Knows no Django."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from threading import Event, Lock, Thread
from time import monotonic
from typing import Any
from uuid import UUID

from messaging.domain.entities import Message

from .client import Throttled, Unavailable, translated_errors
from .codec import message_item
from .keys import key
from .retry import Patience
from .table import MessageTable

BATCH = 25
"""Items a call, DynamoDB's limit."""
LEAVING_SECONDS = 2.0
"""How long calls that are on their way are waited for after Ctrl-C."""


class Stopped(Exception):
    """The writer was told to stop: what it was given is written in part."""


@dataclass(slots=True)
class BulkWriter:
    """Writes items over any that are there, in batches, from any number of threads."""

    table: MessageTable
    stop: Event = field(default_factory=Event)
    """Once set, nothing more is written."""
    write_units: float = 0.0
    """Consumed so far, as DynamoDB reports it; DynamoDB Local and AWS do."""
    _counting: Lock = field(default_factory=Lock)

    def put(self, items: Iterable[dict[str, Any]], written: Callable[[int], object] = lambda number: None) -> None:
        """Write items; all are stored when it returns. `written` is called with the number of each batch.

        1 call for 25 of them. Raises Unavailable when a batch was refused in spite of patience, Stopped.
        """
        self._write(({"PutRequest": {"Item": item}} for item in items), written)

    def delete(self, keys: Iterable[dict[str, Any]]) -> None:
        """Delete the items with these keys. 1 call for 25 of them. Raises Unavailable, Stopped."""
        self._write(({"DeleteRequest": {"Key": key}} for key in keys), lambda number: None)

    def _write(self, requests: Iterable[dict[str, Any]], written: Callable[[int], object]) -> None:
        for batch in _batches(requests):
            self._write_batch(batch)
            written(len(batch))

    def _write_batch(self, requests: list[dict[str, Any]]) -> None:
        patience = Patience(self.stop)
        while not self.stop.is_set():
            error: Unavailable = Throttled()
            left = requests
            try:
                left = self._attempt(requests)
            except Unavailable as refusal:
                error = refusal
            if not left:
                return
            patience.wait(error, progress=len(left) < len(requests))
            requests = left
        raise Stopped

    def _attempt(self, requests: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Write what DynamoDB accepts in one call; returns the rest."""
        wanted: Any = {self.table.name: requests}
        with translated_errors():
            answer: Any = self.table.client.batch_write_item(RequestItems=wanted, ReturnConsumedCapacity="TOTAL")
        with self._counting:
            self.write_units += sum(each.get("CapacityUnits", 0.0) for each in answer.get("ConsumedCapacity", []))
        left: list[dict[str, Any]] = answer.get("UnprocessedItems", {}).get(self.table.name, [])
        return left


def put_messages(table: MessageTable, messages: Iterable[Message]) -> None:
    """Write messages as they are, over any that are there. 1 call for 25 of them. Raises Unavailable."""
    BulkWriter(table).put(map(message_item, messages))


def delete_messages(table: MessageTable, group_uuid: UUID) -> None:
    """Delete all messages of a group that has no conversation. Raises Unavailable."""
    writer = BulkWriter(table)
    while items := table.message_items_after(group_uuid, "", limit=100):
        writer.delete(key(item["pk"]["S"], item["sk"]["S"]) for item in items)


def in_threads(number: int, work: Callable[[], object], *, stop: Event) -> None:
    """Do `work` in so many threads at once, and wait for all of them.

    When one fails, or on Ctrl-C, `stop` is set, and the first error is raised once they have ended. They are not
    waited for longer than `LEAVING_SECONDS` then.
    """
    errors: list[Exception] = []

    def run() -> None:
        try:
            work()
        except Stopped:
            pass
        except Exception as error:  # noqa: BLE001 - raised in the thread that waits
            errors.append(error)
            stop.set()

    # Daemons, so that a call nobody waits for any more cannot hold up the end of the program.
    threads = [Thread(target=run, name=f"bulk-{each}", daemon=True) for each in range(number)]
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    except BaseException:
        stop.set()
        until = monotonic() + LEAVING_SECONDS
        for thread in threads:
            thread.join(max(0.0, until - monotonic()))
        raise
    if errors:
        raise errors[0]


def _batches(requests: Iterable[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    rest = iter(requests)
    while batch := list(islice(rest, BATCH)):
        yield batch
