"""The seed for the site of each browser test: made by the commands once, then written as they had left it."""

from __future__ import annotations

from functools import cache
from io import StringIO
from typing import Any

from django.core.management import call_command

from messaging.dynamodb.bulk import BulkWriter
from messaging.dynamodb.connection import streams_client
from messaging.dynamodb.shards import describe_stream, iterator_after, read_records
from messaging.dynamodb.table import MessageTable
from messaging.stream.checkpoints import PostgresCheckpoints
from users.models import User


@cache
def _seed() -> tuple[list[User], list[dict[str, Any]]]:
    """Return the users and items of this process's first seeded site."""
    return [], []


def seed(table: MessageTable) -> None:
    """Fill the database and the table with the seed: people who can sign in, and their conversations."""
    people, items = _seed()
    if people:
        User.objects.bulk_create(people)
        BulkWriter(table).put(items)
        return
    for command in ("db_seed", "update_cognito_user_ids", "ddb_seed"):
        call_command(command, stdout=StringIO())
    people += User.objects.all()
    for page in table.client.get_paginator("scan").paginate(TableName=table.name, ConsistentRead=True):
        items += page["Items"]


def begin_after_the_seed(stream_arn: str) -> None:
    """Let a stream worker begin with what comes next: entries of the seed are as their conversations."""
    streams, checkpoints = streams_client(), PostgresCheckpoints(stream_arn)
    for shard in describe_stream(streams, stream_arn)["Shards"]:
        iterator: str | None = iterator_after(streams, stream_arn, shard["ShardId"], None)
        while iterator:
            records, iterator = read_records(streams, iterator, limit=1000)
            if not records:
                break
            checkpoints.save(shard["ShardId"], records[-1]["dynamodb"]["SequenceNumber"])
