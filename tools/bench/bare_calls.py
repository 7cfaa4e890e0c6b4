"""Record the DynamoDB calls of a page and replay them without the page."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

from django.test import Client
from django.utils import timezone

from messaging.domain.transitions import conversation_after, next_message
from messaging.dynamodb import transactions
from messaging.dynamodb.codec import conversation_from, message_item
from messaging.dynamodb.connection import message_table
from messaging.dynamodb.keys import conversation_key

from .timing import Ask

Call = tuple[str, dict[str, Any]]
"""The client's method and its parameters."""


def recorded(browser: Client, path: str) -> list[Call]:
    """Record the DynamoDB calls of a page."""
    calls: list[Call] = []
    client = message_table().client

    inverse = {api: method for method, api in client.meta.method_to_api_mapping.items()}

    def noted(params: dict[str, Any], model: Any, **_: Any) -> None:
        calls.append((inverse[model.name], dict(params)))

    client.meta.events.register("provide-client-params.dynamodb.*", noted)
    try:
        answer = browser.get(path)
    finally:
        client.meta.events.unregister("provide-client-params.dynamodb.*", noted)
    if answer.status_code != 200:  # noqa: PLR2004
        raise SystemExit(f"{path}: {answer.status_code}")
    return calls


def replayed(calls: list[Call]) -> Callable[[int], Ask]:
    """Return a function that repeats these calls in sequence with a warmed-up client."""
    client = message_table().client
    bound = [(getattr(client, method), parameters) for method, parameters in calls]

    def ask() -> float:
        began = time.perf_counter()
        for call, parameters in bound:
            call(**parameters)
        return time.perf_counter() - began

    return lambda number: ask


def sending(writers: list[tuple[UUID, UUID]], text: str) -> Callable[[int], Ask]:
    """Return a function that makes the two calls of a send in each writer's own group. The setup is not timed."""
    table = message_table()

    def client(number: int) -> Ask:
        writer, group = writers[number]

        def ask() -> float:
            began = time.perf_counter()
            answer = table.client.get_item(TableName=table.name, Key=conversation_key(group), ConsistentRead=True)
            took = time.perf_counter() - began
            conversation = conversation_from(answer["Item"])
            message = next_message(
                conversation=conversation, user_uuid=writer, text=text, message_uuid=uuid4(), now=timezone.now()
            )
            after = conversation_after(conversation, message)
            steps: Any = [
                transactions.advance_conversation(table.name, conversation, after),
                transactions.put_new(table.name, message_item(message)),
            ]
            began = time.perf_counter()
            table.client.transact_write_items(TransactItems=steps)
            return took + time.perf_counter() - began

        return ask

    return client
