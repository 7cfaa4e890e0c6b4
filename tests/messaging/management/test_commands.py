"""The DynamoDB commands on the emulator: what they do, what they say, what they refuse."""

from io import StringIO

import pytest
from django.conf import settings as django_settings
from django.core.management import CommandError, call_command
from pytest_django.fixtures import Settings

from messaging.dynamodb import connection
from messaging.dynamodb.schema import describe
from messaging.dynamodb.table import MessageTable

pytestmark = pytest.mark.django_db


def run(command: str, *arguments: str) -> str:
    output = StringIO()
    call_command(command, *arguments, stdout=output, stderr=output)
    return output.getvalue()


def test_its_first_line_names_endpoint_table_and_database(table: MessageTable) -> None:
    first = run("ddb_schema_load").splitlines()[0]

    assert str(django_settings.DYNAMODB_ENDPOINT_URL) in first
    assert table.name in first
    assert str(django_settings.DATABASES["default"]["NAME"]) in first
    assert str(django_settings.DATABASES["default"]["PASSWORD"]) not in first


def test_ddb_schema_load_creates_the_table_and_says_so(table: MessageTable, settings: Settings) -> None:
    table.client.delete_table(TableName=table.name)

    output = run("ddb_schema_load")

    assert f"Creating table {table.name}" in output
    assert describe(table) is not None
    assert "exists" in run("ddb_schema_load")


def test_unreachable_dynamodb_is_explained(settings: Settings) -> None:
    settings.DYNAMODB_ENDPOINT_URL = settings.DYNAMODB_STREAMS_ENDPOINT_URL = "http://127.0.0.1:9"
    connection.forget()

    with pytest.raises(CommandError, match="make run"):
        run("ddb_schema_load")
    connection.forget()


def test_commands_never_fall_back_to_aws(settings: Settings) -> None:
    settings.DYNAMODB_ENDPOINT_URL = None
    connection.forget()

    with pytest.raises(CommandError, match="CRUDDUR_ENV=production"):
        run("ddb_schema_load")
    connection.forget()
