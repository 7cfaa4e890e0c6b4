"""The document of everything kept about a person: whole, theirs alone, made a page at a time."""

from __future__ import annotations

import json
import stat
from collections.abc import Iterator
from datetime import timedelta
from io import BytesIO, StringIO, TextIOWrapper
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from messaging.actions import delete_account, edit_message
from messaging.actions.block import block
from messaging.domain.entities import pair_group_uuid
from messaging.dynamodb.client import Throttled, Unavailable
from messaging.dynamodb.keys import entry_key, user_pk
from messaging.dynamodb.table import MessageTable
from messaging.queries import export_data
from messaging.queries.export_data import Pause
from moderation.models import Report
from tests.conftest import Calls
from tests.messaging.faults import answer, fault
from tests.messaging.talk import NOW, send, start, write_all
from users.models import User


def pieces(person: User, table: MessageTable) -> Iterator[str | Pause]:
    return export_data.document(person=person, table=table, now=NOW)


def text_of(person: User, table: MessageTable) -> str:
    return "".join(piece for piece in pieces(person, table) if isinstance(piece, str))


def exported(person: User, table: MessageTable) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(text_of(person, table))
    return document


def test_export_has_the_user_record(table: MessageTable, andrew: User) -> None:
    andrew.bio = "Likes “quotes”, \\ and 🛰"
    andrew.save()

    document = exported(andrew, table)

    assert document["format"] == "cruddur-personal-data/1"
    assert document["exported_at"] == "2026-11-21T09:05:00+00:00"
    assert document["person"] == {
        "uuid": str(andrew.uuid),
        "handle": "andrewbrown",
        "name": "Andrew Brown",
        "bio": "Likes “quotes”, \\ and 🛰",
        "email": "andrewbrown@cruddur.example",
        "cognito_user_id": "sub-andrewbrown",
        "created_at": andrew.created_at.isoformat(),
        "last_signed_in_at": None,
    }
    assert document["conversations"] == []
    assert document["complete"] is True


def test_export_has_own_and_others_messages(table: MessageTable, andrew: User, bayko: User) -> None:
    first = start(by=andrew.uuid, to=bayko.uuid, text='Mine\nwith "lines"')
    group = first.group_uuid
    send(by=bayko.uuid, group=group, text="Theirs")
    edit_message.edit(
        user_uuid=andrew.uuid, group_uuid=group, created_at=first.created_at, text="Mine, edited", now=NOW
    )
    third = send(by=bayko.uuid, group=group, text="Gone")
    edit_message.delete(user_uuid=bayko.uuid, group_uuid=group, created_at=third.created_at, now=NOW)

    (conversation,) = exported(andrew, table)["conversations"]

    shown = [
        (each["seq"], each["own"], each["text"], bool(each["edited_at"]), bool(each["deleted_at"]))
        for each in conversation["messages"]
    ]
    assert shown == [
        (1, True, "Mine, edited", True, False),
        (2, False, "Theirs", False, False),
        (3, False, None, False, True),
    ]
    assert conversation["messages"][0]["created_at"] == first.created_at
    assert conversation["messages"][1]["user_uuid"] == str(bayko.uuid)


def test_members_are_called_what_they_are_called_now(table: MessageTable, andrew: User, bayko: User) -> None:
    start(by=andrew.uuid, to=bayko.uuid)
    User.objects.filter(pk=bayko.pk).update(display_name="Bayko the Second")

    (conversation,) = exported(andrew, table)["conversations"]

    assert {"uuid": str(bayko.uuid), "handle": "bayko", "name": "Bayko the Second"} in conversation["members"]


def test_deleted_user_has_no_name(table: MessageTable, andrew: User, bayko: User) -> None:
    start(by=andrew.uuid, to=bayko.uuid)
    delete_account.ask(user_uuid=bayko.uuid, now=NOW)

    (conversation,) = exported(andrew, table)["conversations"]

    assert {"uuid": str(bayko.uuid), "handle": None, "name": "Deleted user"} in conversation["members"]


@pytest.mark.parametrize(
    ("inbox", "name"), [("", "inbox"), ("#requests", "requests"), ("#archived", "archived"), (None, "hidden")]
)
def test_export_has_conversations_of_every_list_and_of_none(
    table: MessageTable, andrew: User, bayko: User, inbox: str | None, name: str
) -> None:
    group = start(by=andrew.uuid, to=bayko.uuid).group_uuid
    change: dict[str, Any] = {"UpdateExpression": "REMOVE inbox"}
    if inbox is not None:
        values = {":inbox": {"S": f"{user_pk(andrew.uuid)}{inbox}"}}
        change = {"UpdateExpression": "SET inbox = :inbox", "ExpressionAttributeValues": values}
    table.client.update_item(TableName=table.name, Key=entry_key(andrew.uuid, group), **change)

    (conversation,) = exported(andrew, table)["conversations"]

    assert conversation["list"] == name


def test_export_has_no_conversations_of_others(table: MessageTable, andrew: User, bayko: User, londo: User) -> None:
    """An entry alone, a stray, lets nobody read."""
    group = start(by=andrew.uuid, to=bayko.uuid, text="Not for Londo").group_uuid
    item = table.client.get_item(TableName=table.name, Key=entry_key(bayko.uuid, group))["Item"]
    table.client.put_item(TableName=table.name, Item={**item, "pk": {"S": user_pk(londo.uuid)}})

    assert exported(londo, table)["conversations"] == []


def test_export_has_more_conversations_than_a_page(
    table: MessageTable, andrew: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export_data, "ENTRIES_A_PAGE", 2)
    people = [
        User.objects.create_user(handle=f"friend_{letter}", display_name=letter, cognito_user_id=letter)
        for letter in "abcde"
    ]
    for person in people:
        start(by=andrew.uuid, to=person.uuid, text=person.handle)

    conversations = exported(andrew, table)["conversations"]

    said = sorted(message["text"] for each in conversations for message in each["messages"])
    assert said == [person.handle for person in people]


def test_export_has_blocked_users_and_permissions(table: MessageTable, andrew: User, bayko: User) -> None:
    block(user_uuid=andrew.uuid, other_uuid=bayko.uuid, now=NOW)

    document = exported(andrew, table)

    (blocked,) = document["blocked"]
    assert (blocked["handle"], blocked["name"]) == ("bayko", "Bayko")
    assert document["settings"] == {"who_may_write_first": "anyone"}


def test_export_has_own_reports(table: MessageTable, andrew: User, bayko: User) -> None:
    group = pair_group_uuid(andrew.uuid, bayko.uuid)
    Report.objects.create(
        reporter_uuid=andrew.uuid,
        reported_uuid=bayko.uuid,
        group_uuid=group,
        reason="spam",
        note="Kites",
        snapshot=[],
        created_at=NOW,
    )

    (report,) = exported(andrew, table)["reports"]

    assert report == {
        "created_at": "2026-11-21T09:05:00+00:00",
        "group_uuid": str(group),
        "message_created_at": None,
        "reason": "spam",
        "note": "Kites",
        "state": "open",
    }
    assert exported(bayko, table)["reports"] == []


# --- A page at a time -------------------------------------------------------------------------------------------------


@pytest.fixture
def talked(table: MessageTable, andrew: User, bayko: User, monkeypatch: pytest.MonkeyPatch) -> MessageTable:
    """Create a conversation of 35 messages, in pages of 10."""
    monkeypatch.setattr(export_data, "MESSAGES_A_PAGE", 10)
    said = [(andrew.uuid, f"Number {n}", NOW + timedelta(seconds=n)) for n in range(35)]
    write_all(table, said, members=(andrew.uuid, bayko.uuid))
    return table


def test_it_reads_a_page_when_the_one_before_is_taken(talked: MessageTable, andrew: User, calls: Calls) -> None:
    """Memory is bounded by one page, however many items there are."""
    document = pieces(andrew, talked)
    most = 0
    with calls.counted(talked.client):
        read = []
        for piece in document:
            assert isinstance(piece, str)
            most = max(most, piece.count('"seq"'))
            read.append(len(calls.operations))

    assert most == 10
    assert calls.operations == ["Query", "BatchGetItem", *["Query"] * 4]
    # The head, the conversation, four pages of messages, two ends.
    assert read == [2, 2, 3, 4, 5, 6, 6, 6]


def test_a_throttled_table_is_waited_for(talked: MessageTable, andrew: User) -> None:
    document = pieces(andrew, talked)
    with fault(talked, "Query", *[answer("ProvisionedThroughputExceededException")] * 2):
        first = next(document)

    assert first == Pause(1.0)
    assert json.loads("".join(piece for piece in document if isinstance(piece, str)))["complete"]


def test_a_failure_midway_leaves_a_document_that_is_visibly_incomplete(talked: MessageTable, andrew: User) -> None:
    document = pieces(andrew, talked)
    read = [piece for piece in (next(document) for _ in range(4)) if isinstance(piece, str)]
    with fault(talked, "Query", *[answer("InternalServerError", 500)] * 20), pytest.raises(Unavailable):
        read += [piece for piece in document if isinstance(piece, str)]

    text = "".join(read)
    assert "Number 0" in text
    assert '"complete"' not in text
    with pytest.raises(json.JSONDecodeError):
        json.loads(text)


# --- The command ------------------------------------------------------------------------------------------------------


def run(*arguments: str) -> tuple[str, str]:
    out, err = StringIO(), StringIO()
    call_command("export_person", *arguments, stdout=out, stderr=err, no_color=True, skip_checks=True)
    return out.getvalue(), err.getvalue()


def test_the_command_writes_the_document_and_nothing_else(talked: MessageTable, andrew: User) -> None:
    out, err = run("@AndrewBrown")

    assert len(json.loads(out)["conversations"][0]["messages"]) == 35
    assert err.startswith("DynamoDB")


def test_the_command_writes_a_file_that_only_its_owner_reads(
    talked: MessageTable, andrew: User, tmp_path: Path
) -> None:
    file = tmp_path / "andrew.json"

    out, err = run("andrewbrown", "--output", str(file))

    assert json.loads(file.read_text())["complete"]
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert (out, list(tmp_path.iterdir())) == ("", [file])
    assert f"Wrote {file}, {file.stat().st_size:,} bytes." in err


def test_the_command_says_for_programs_what_it_wrote(talked: MessageTable, andrew: User, tmp_path: Path) -> None:
    file = tmp_path / "andrew.json"

    out, _ = run("andrewbrown", "--output", str(file), "--json")

    said = {"file": str(file), "bytes": file.stat().st_size, "uuid": str(andrew.uuid), "left_out": []}
    assert json.loads(out) == said


def test_the_command_leaves_no_file_that_is_not_whole(
    talked: MessageTable, andrew: User, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "andrew.json"

    def throttled(*_: Any, **__: Any) -> Any:
        raise Throttled

    monkeypatch.setattr(export_data, "WAITS", ())
    monkeypatch.setattr(MessageTable, "message_items_after", throttled)

    with pytest.raises(CommandError, match="run this again"):
        run("andrewbrown", "--output", str(file))

    assert list(tmp_path.iterdir()) == []


def test_the_command_writes_over_no_file(andrew: User, moto_table: MessageTable, tmp_path: Path) -> None:
    file = tmp_path / "andrew.json"
    file.write_text("as it was")

    with pytest.raises(CommandError, match="is there already"):
        run("andrewbrown", "--output", str(file))

    assert [each.read_text() for each in tmp_path.iterdir()] == ["as it was"]


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-16"])
def test_the_document_is_ascii_where_standard_output_is_not_utf8(
    table: MessageTable, andrew: User, bayko: User, encoding: str
) -> None:
    start(by=andrew.uuid, to=bayko.uuid, text="Zażółć “gęślą” 🛰")
    written = BytesIO()
    out = TextIOWrapper(written, encoding=encoding, write_through=True)

    call_command("export_person", "andrewbrown", stdout=out, stderr=StringIO(), no_color=True, skip_checks=True)

    text = written.getvalue().decode(encoding)
    assert text.isascii()
    assert json.loads(text)["conversations"][0]["messages"][0]["text"] == "Zażółć “gęślą” 🛰"


def test_a_dash_is_standard_output(talked: MessageTable, andrew: User) -> None:
    out, _ = run("andrewbrown", "--output", "-")

    assert json.loads(out)["complete"]
    assert not Path("-").exists()


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["nobody_here"], "Nobody is called @nobody_here."),
        (["andrewbrown", "--output", "/nowhere/at/all.json"], "/nowhere/at/all.json cannot be written: No such file"),
    ],
)
def test_the_command_refuses(talked: MessageTable, andrew: User, arguments: list[str], why: str) -> None:
    with pytest.raises(CommandError, match=why):
        run(*arguments)
