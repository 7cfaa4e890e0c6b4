"""Define the cost of each access pattern in one place: plans use these numbers and tests assert them.

Units are AWS's ("Capacity units" in the DynamoDB developer guide), for two members, messages below 1 KB and texts as in
the seed; emulators report them wrongly. `tests/messaging/actions/test_costs.py` computes them from the requests made.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

KILOBYTE = 1024
READ_BYTES = 4 * KILOBYTE
"""Bytes that a query reads for one consistent read unit."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """The calls of a pattern, and its units of the table and of each index, which have separate capacities."""

    calls: tuple[str, ...]
    table_writes: int = 0
    inbox_writes: int = 0
    group_writes: int = 0
    table_reads: float = 0
    """Without those of the messages: see `message_reads`."""
    inbox_reads: float = 0
    message_pages: int = 0
    """Windows of messages that it reads."""

    @property
    def writes(self) -> int:
        """Write units of table and indexes together."""
        return self.table_writes + self.inbox_writes + self.group_writes


SEND = Pattern(("GetItem", "TransactWriteItems"), table_writes=4, table_reads=1)
SEND_AGAIN = Pattern(("GetItem", "GetItem"), table_reads=2)
START = Pattern(("TransactWriteItems",), table_writes=8, inbox_writes=2, group_writes=2)
PROJECT = Pattern(("UpdateItem", "UpdateItem"), table_writes=2, inbox_writes=4)
PROJECT_AGAIN = Pattern(("UpdateItem", "UpdateItem"), table_writes=2)
"""A repeated projection: a failed condition costs as much as a write of the item. So does each first message."""
MARK_READ = Pattern(("GetItem", "UpdateItem"), table_writes=1, inbox_writes=1, table_reads=1)
LIST = Pattern(("Query",), inbox_reads=1)
"""Also the request by which an open list refreshes its rows (`rows`)."""
THREAD = Pattern(("BatchGetItem", "Query"), table_reads=2, message_pages=1)
"""A window of a conversation: the newest messages, or those before or after one."""
THREAD_PAGE = Pattern(("BatchGetItem", "Query", "Query"), table_reads=2, inbox_reads=1, message_pages=1)
"""A conversation beside the list."""
SINCE = Pattern(("BatchGetItem", "BatchGetItem"), table_reads=3)
"""The request that an open conversation makes each minute, if nothing changed."""
DELIVERY = Pattern(())
"""A live message to any number of open streams."""

MESSAGES_A_PAGE = 20
MESSAGE_BYTES = 181
"""Size of a message's item without its text. These sizes are averages of the seed's items."""
CONVERSATION_BYTES = 711
ENTRY_BYTES = 470
INBOX_ENTRY_BYTES = 368
"""Size of an entry in the index of that name."""
GROUP_ENTRY_BYTES = 134


def message_reads(text_bytes: float) -> int:
    """Return the read units of a window of messages with texts of so many bytes."""
    return max(1, ceil(MESSAGES_A_PAGE * (MESSAGE_BYTES + text_bytes) / READ_BYTES))


def extra_message_writes(text_bytes: float) -> int:
    """Return the write units that a send needs beyond `SEND` for messages over 1 KB: two per started KB."""
    return 2 * (max(1, ceil((MESSAGE_BYTES + text_bytes) / KILOBYTE)) - 1)
