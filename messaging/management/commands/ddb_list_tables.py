from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import IO, Any, cast

from cruddur.terminal import Column, as_bytes, width_of
from messaging.aws import patient
from messaging.connection import message_table
from messaging.management.table_command import TableCommand
from messaging.operations.tables import list_tables, stream_in_words

NARROW = 110
"""Columns of a terminal below which indexes are counted instead of named, and protection is left out if none is."""


def mark(application: bool) -> str:
    return "*" if application else ""


def billing(provisioned: Mapping[str, int] | None) -> str:
    return f"{provisioned['read']:,} read, {provisioned['write']:,} write" if provisioned else "per request"


def number(names: Sequence[str]) -> str:
    return str(len(names))


def columns(*, narrow: bool, protection: bool) -> Sequence[Column]:
    shown = [
        Column("application", heading=" ", show=mark, whole=True),
        Column("name", heading="table", whole=True),
        Column("status", show=str.lower),
        Column("items", right=True, whole=True),
        Column("size_bytes", heading="size", show=as_bytes, right=True, whole=True),
        Column("provisioned", heading="billing", show=billing),
        Column("indexes", show=number if narrow else None),
        Column("stream", show=stream_in_words),
    ]
    return [*shown, Column("deletion_protection", heading="protected")] if protection or not narrow else shown


class Command(TableCommand):
    help = (
        "List the tables there are, the application's marked with a star. Items and size are as DynamoDB last counted "
        "them, which on AWS may be six hours ago; billing is per request or in units provisioned a second."
    )
    examples = ("", "--json")
    replaces = ("ddb/list-tables", "ddb/list-tables-sdk")

    def act(self, **options: Any) -> None:
        own = message_table()
        rows = [{"application": table.name == own.name, **asdict(table)} for table in list_tables(patient(own.client))]
        narrow = width_of(cast("IO[str]", self.stdout)) < NARROW
        protection = any(row["deletion_protection"] for row in rows)
        self.write_rows(columns(narrow=narrow, protection=protection), rows)
        there_are = f"{len(rows):,} table{'' if len(rows) == 1 else 's'}"
        if any(row["application"] for row in rows):
            self.say(f"{there_are}; * is the application's.", self.style.SUCCESS)
        else:
            self.say(f"{there_are}; the application's, {own.name}, is not there: run `manage.py ddb_schema_load`.")
