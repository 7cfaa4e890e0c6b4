from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from cruddur.cli import target
from cruddur.cli.terminal import Column, as_bytes
from messaging.dynamodb.client import patient
from messaging.dynamodb.connection import message_table
from messaging.dynamodb.tables import list_tables, stream_in_words
from messaging.management.table_command import TableCommand


def mark(application: bool) -> str:
    return "*" if application else ""


def billing(provisioned: Mapping[str, int] | None) -> str:
    return f"{provisioned['read']:,} read, {provisioned['write']:,} write" if provisioned else "per request"


COLUMNS = (
    Column("application", heading=" ", show=mark, whole=True),
    Column("name", heading="table", whole=True),
    Column("status", show=str.lower),
    Column("items", right=True, whole=True),
    Column("size_bytes", heading="size", show=as_bytes, right=True, whole=True),
    Column("provisioned", heading="billing", show=billing),
    Column("indexes"),
    Column("stream", show=stream_in_words),
    Column("deletion_protection", heading="protected"),
)


class Command(TableCommand):
    help = "List the tables, the application's marked with a star. DynamoDB updates items and size every six hours."
    needs = (target.dynamodb,)
    examples = ("", "--json")
    replaces = ("ddb/list-tables", "ddb/list-tables-sdk")

    def act(self, **options: Any) -> None:
        own = message_table()
        rows = [{"application": table.name == own.name, **asdict(table)} for table in list_tables(patient(own.client))]
        self.write_rows(COLUMNS, rows)
        there_are = f"{len(rows):,} table{'' if len(rows) == 1 else 's'}"
        if any(row["application"] for row in rows):
            self.say(f"{there_are}; * is the application's.", self.style.SUCCESS)
        else:
            self.say(f"{there_are}; the application's, {own.name}, is not there: run `manage.py ddb_schema_load`.")
