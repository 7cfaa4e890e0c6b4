"""How an import handles the defects of the old system's data."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any
from uuid import uuid4

import pytest
from django.core.management import CommandError
from django.test import Client

from messaging.actions import delete_account
from messaging.dynamodb.table import MessageTable
from messaging.models import WrittenOutside
from messaging.queries import conversations, export_data
from tests.messaging.command_runs import run
from tests.messaging.pages import messages_of
from tests.messaging.talk import drain, entry_of

from .imported import (
    ANDREW,
    BAYKO,
    COMMAND,
    EVE,
    GHOST,
    LONDO,
    all_is_well,
    group_of,
    later,
    person,
    remarks,
    stored,
    summary,
    texts,
)
from .legacy_items import OldSystem, OldUser, in_utc, with_offset

pytestmark = pytest.mark.django_db


# --- What went wrong there --------------------------------------------------------------------------------------------


def test_message_with_invalid_time_keeps_its_place_and_is_reported(old: OldSystem, table: MessageTable) -> None:
    group = old.starts(ANDREW, BAYKO, "First", in_utc(EVE))
    old.says(BAYKO, group, "When?", in_utc(EVE) + " or so")
    old.says(BAYKO, group, "Last", in_utc(later(1)))

    (remark,) = [each for each in remarks(old) if each["kind"] == "time-unreadable"]

    assert texts(table, ANDREW, BAYKO) == ["First", "When?", "Last"]
    assert (remark["about"], remark["sk"]) == (f"MSG#{group}", in_utc(EVE) + " or so")
    assert remark["what"].endswith("at 2022-12-31T23:58:30.250000+00:00")


def test_leading_invalid_time_becomes_the_first_valid_one(old: OldSystem, table: MessageTable) -> None:
    group = old.starts(ANDREW, BAYKO, "Second", in_utc(EVE))
    old.says(BAYKO, group, "First", "1 January")

    run(COMMAND, old.name)

    found = stored(table, ANDREW, BAYKO)
    assert [message.message for message in found] == ["First", "Second"]
    assert EVE - found[0].created <= timedelta(microseconds=1)


def test_a_time_without_a_zone_is_in_the_zone_of_the_old_server(old: OldSystem, table: MessageTable) -> None:
    old.starts(ANDREW, BAYKO, "When?", "2023-07-01T12:00:00")

    run(COMMAND, old.name, "--zone", "America/Toronto")

    (message,) = stored(table, ANDREW, BAYKO)
    assert message.created_at == "2023-07-01T16:00:00.000000+00:00"


def test_future_time_becomes_now_and_new_messages_follow_it(old: OldSystem, table: MessageTable) -> None:
    old.starts(ANDREW, BAYKO, "Soon", "2999-01-01T00:00:00+00:00")

    assert [each["kind"] for each in remarks(old)].count("time-in-the-future") == 1

    assert stored(table, ANDREW, BAYKO)[0].created <= datetime.now(UTC)


def test_messages_of_same_microsecond_in_two_groups_are_both_kept(old: OldSystem, table: MessageTable) -> None:
    for text, written in (("One", in_utc), ("Other", with_offset)):
        old.starts(ANDREW, BAYKO, text, written(EVE))

    run(COMMAND, old.name)

    found = stored(table, ANDREW, BAYKO)
    assert {message.message for message in found} == {"One", "Other"}
    assert found[1].created - found[0].created == timedelta(microseconds=1)


def test_messages_with_same_uuid_are_both_kept_on_repeated_import(old: OldSystem, table: MessageTable) -> None:
    uuid, group = str(uuid4()), old.starts(ANDREW, BAYKO, "Hello", in_utc(EVE))
    for seconds in (1, 2):
        old.says(BAYKO, group, "Yes", in_utc(later(seconds)), message_uuid=uuid)

    assert [each["kind"] for each in remarks(old)].count("uuid-renewed") == 2
    assert summary(old)["messages_written"] == 0

    assert texts(table, ANDREW, BAYKO) == ["Hello", "Yes", "Yes"]


def test_a_text_that_is_too_long_becomes_several_messages_and_is_whole(old: OldSystem, table: MessageTable) -> None:
    text = "".join(chr(ord("a") + number % 26) for number in range(2500))
    old.starts(ANDREW, BAYKO, text, in_utc(EVE))

    assert [each["what"] for each in remarks(old) if each["kind"] == "split"] == [
        "its 2,500 characters are more than 1,024: it became 3 messages"
    ]

    assert [len(each) for each in texts(table, ANDREW, BAYKO)] == [1024, 1024, 452]
    assert "".join(texts(table, ANDREW, BAYKO)) == text


def test_whitespace_message_is_imported_unchanged(old: OldSystem, table: MessageTable, client: Client) -> None:
    old.starts(ANDREW, BAYKO, " \u200b\n", in_utc(EVE))

    run(COMMAND, old.name)

    assert texts(table, ANDREW, BAYKO) == [" \u200b\n"]
    client.force_login(person(BAYKO))
    assert len(messages_of(client.get(f"/messages/{group_of(ANDREW, BAYKO)}"))) == 1


def test_outsider_does_not_become_a_member_and_their_messages_stay(
    old: OldSystem, table: MessageTable, client: Client, users: str
) -> None:
    group = old.starts(ANDREW, BAYKO, "Hello", in_utc(EVE))
    for number in range(3):
        old.says(LONDO, group, f"Intruding {number}", in_utc(later(number + 1)))

    (remark,) = [each for each in remarks(old, "--users", users) if each["kind"] == "outsider"]

    assert str(LONDO.uuid) in remark["what"]
    assert texts(table, ANDREW, BAYKO) == ["Hello", *(f"Intruding {number}" for number in range(3))]
    client.force_login(person(LONDO))
    assert client.get(f"/messages/{group_of(ANDREW, BAYKO)}").status_code == 404
    client.force_login(person(BAYKO))
    intruding = stored(table, ANDREW, BAYKO)[-1].created_at
    assert "Report" in client.get(f"/messages/{group_of(ANDREW, BAYKO)}/{intruding}").content.decode()
    assert "Londo Mollari" in client.get(f"/messages/{group_of(ANDREW, BAYKO)}").content.decode()
    assert all_is_well()


def test_messages_of_former_members_are_exported_and_erased(old: OldSystem, table: MessageTable, users: str) -> None:
    group = old.starts(ANDREW, BAYKO, "Hello", in_utc(EVE))
    old.says(LONDO, group, "Intruding", in_utc(later(1)))
    run(COMMAND, old.name, "--users", users, "--ignore-cognito-ids")
    intruder, here = person(LONDO), group_of(ANDREW, BAYKO)

    exported = json.loads("".join(map(str, export_data.document(person=intruder, table=table, now=EVE))))
    delete_account.ask(user_uuid=intruder.uuid, now=later(100))
    how: dict[str, Any] = {"user_pool": lambda: None, "clock": lambda: later(1000)}
    list(delete_account.steps(user_uuid=intruder.uuid, table=table, **how))

    ((written,),) = [outside["messages"] for outside in exported["written_outside"]]
    assert (written["text"], written["own"], exported["conversations"]) == ("Intruding", True, [])
    assert texts(table, ANDREW, BAYKO) == ["Hello", ""]
    drain(table)
    assert entry_of(table, person(ANDREW).uuid, here).message == ""
    assert all_is_well()
    assert not WrittenOutside.objects.exists()


def test_without_lists_a_conversation_belongs_to_the_two_who_wrote_first(old: OldSystem, users: str) -> None:
    group = old.starts(ANDREW, BAYKO, "Hello", in_utc(EVE), lost=("own", "other"))
    old.says(BAYKO, group, "Yes?", in_utc(later(1)))
    for number in range(3):
        old.says(LONDO, group, f"Intruding {number}", in_utc(later(number + 2)))

    assert "members-in-doubt" in [each["kind"] for each in remarks(old, "--users", users)]

    member, intruder = person(BAYKO).uuid, person(LONDO).uuid
    assert len(conversations.list_conversations(user_uuid=member).entries) == 1
    assert not conversations.list_conversations(user_uuid=intruder).entries


def test_own_messages_to_unknown_members_are_exported(old: OldSystem, users: str, client: Client) -> None:
    old.starts(ANDREW, BAYKO, "To whom?", in_utc(EVE), lost=("own", "other"))

    assert summary(old, "--users", users)["people_placeholder"] == 1

    client.force_login(person(ANDREW))
    (entry,) = conversations.list_conversations(user_uuid=person(ANDREW).uuid).entries
    page = client.get(f"/messages/{entry.group_uuid}")
    assert messages_of(page) == ["To whom?"]
    assert "Unknown person" in page.content.decode()


def test_text_only_in_a_list_is_reported(old: OldSystem) -> None:
    group = old.starts(ANDREW, BAYKO, "Lost", in_utc(EVE), lost=("message",))

    found = remarks(old)

    assert [(each["kind"], each["about"]) for each in found] == [("only-in-a-list", found[0]["about"])]
    assert group in found[0]["what"]
    assert found[0]["about"] in {f"GRP#{ANDREW.uuid}", f"GRP#{BAYKO.uuid}"}


def test_malformed_message_is_left_out_and_reported_with_exit_code_1(old: OldSystem, table: MessageTable) -> None:
    group = old.starts(ANDREW, BAYKO, "Hello", in_utc(EVE))
    old.put(pk=f"MSG#{group}", sk=in_utc(later(1)), user_uuid=str(ANDREW.uuid))
    old.put(pk="CONFIG\x1b[2J", sk="v1")
    out = StringIO()

    with pytest.raises(CommandError, match=r"2 things were left out: see above\.") as caught:
        run(COMMAND, old.name, out=out)

    assert caught.value.returncode == 1
    assert f"MSG#{group} {in_utc(later(1))}: it is a message without a text, and it was left out." in out.getvalue()
    assert "\x1b" not in out.getvalue()
    assert texts(table, ANDREW, BAYKO) == ["Hello"]


# --- People -----------------------------------------------------------------------------------------------------------


def test_missing_user_becomes_a_placeholder_with_the_newest_names(old: OldSystem) -> None:
    early = OldUser("ghost", "Older Name", uuid=GHOST.uuid)
    group = old.starts(early, BAYKO, "Boo", in_utc(EVE))
    old.says(GHOST, group, "Boo again", in_utc(later(1)))

    run(COMMAND, old.name)

    ghost = person(GHOST)
    assert (ghost.uuid, ghost.handle, ghost.display_name) == (GHOST.uuid, "ghost", "A Ghost")
    assert (ghost.email, ghost.cognito_user_id) == ("", "MOCK")


def test_a_placeholder_gets_its_row_when_the_users_are_there_the_next_time(old: OldSystem, users: str) -> None:
    old.starts(ANDREW, BAYKO, "Hello", in_utc(EVE))
    run(COMMAND, old.name)

    assert summary(old, "--users", users)["people_completed"] == 2

    andrew = person(ANDREW)
    assert (andrew.uuid, andrew.email, andrew.cognito_user_id) == (ANDREW.uuid, ANDREW.email, "sub-andrew")
