"""Write a send's transactions directly with boto3, without web server and Django: the endpoint's maximum rate.

.venv/bin/python -m tools.bench.bare_sends ENDPOINT TABLE CLIENTS SECONDS GROUP [GROUP …]

Prints how many messages were stored. With one group all clients write into it, else each has its own groups.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from itertools import cycle
from threading import Thread
from typing import Any
from uuid import UUID, uuid4

from messaging.domain.transitions import conversation_after, next_message
from messaging.dynamodb.client import ServiceError, connect
from messaging.dynamodb.codec import conversation_from, message_item
from messaging.dynamodb.keys import conversation_key
from messaging.dynamodb.transactions import advance_conversation, put_new

REGION = "us-east-1"
TEXT = "x" * 181
"""A text of the seed's average length."""


def send(client: Any, table: str, group: UUID) -> bool:
    """Read the conversation, and store the next message of one of its members; False when another was first."""
    item = client.get_item(TableName=table, Key=conversation_key(group), ConsistentRead=True)["Item"]
    conversation = conversation_from(item)
    sender = sorted(conversation.member_uuids)[conversation.seq % 2]
    message = next_message(
        conversation=conversation, user_uuid=sender, text=TEXT, message_uuid=uuid4(), now=datetime.now(UTC)
    )
    actions = [
        advance_conversation(table, conversation, conversation_after(conversation, message)),
        put_new(table, message_item(message)),
    ]
    try:
        client.transact_write_items(TransactItems=actions)
    except ServiceError:
        return False
    return True


def shares(groups: Sequence[UUID], clients: int) -> Iterator[Sequence[UUID]]:
    """Yield the groups of each client: separate ones, or the only one."""
    for number in range(clients):
        yield groups[number::clients] or groups[:1]


def main(arguments: Sequence[str]) -> None:
    endpoint, table, clients, seconds, *groups = arguments
    client = connect(endpoint_url=endpoint, region=REGION)
    stored: list[int] = []
    deadline = time.monotonic() + float(seconds)

    def work(own: Sequence[UUID]) -> None:
        count = 0
        for group in cycle(own):
            if time.monotonic() > deadline:
                break
            count += send(client, table, group)
        stored.append(count)

    threads = [Thread(target=work, args=(own,)) for own in shares([UUID(each) for each in groups], int(clients))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    sys.stdout.write(f"{sum(stored)}\n")


if __name__ == "__main__":
    main(sys.argv[1:])
