"""Deleting an account: nobody gets in from the first moment, nothing is left at the last, wherever it stops between."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction
from django.test import Client
from pytest_django import DjangoAssertNumQueries
from pytest_django.fixtures import Settings

from messaging.actions import delete_account, edit_message
from messaging.actions.block import block, blocked_by
from messaging.domain.entities import pair_group_uuid
from messaging.dynamodb.client import Unavailable
from messaging.dynamodb.table import MessageTable
from messaging.queries import conversations
from messaging.queries.recent_sends import remember
from tests.messaging.capacity import items
from tests.messaging.faults import answer, fault
from tests.messaging.talk import NOW, drain, send, start
from tests.users.pools import add_user, new_pool
from users import delete_account as delete_account_module
from users.cognito.client import CognitoError, UserPool
from users.cognito.sign_in import AccountDeleted, Identity, person_of
from users.handles import HandleError
from users.models import MOCK, User
from users.people import people_by_uuid, person_by_handle, require_free, seed_people
from users.search import find_people

from .test_leave_conversations import texts

LATER = NOW + timedelta(hours=1)


@pytest.fixture
def pool(settings: Settings) -> UserPool:
    return new_pool(settings)


@pytest.fixture
def gone(andrew: User, pool: UserPool, table: MessageTable, bayko: User) -> User:
    """Create a user with a Cognito user and a conversation who asks for the deletion of their account."""
    User.objects.filter(pk=andrew.pk).update(cognito_user_id=add_user(pool, "andrewbrown"))
    start(by=andrew.uuid, to=bayko.uuid, text="Mine")
    send(by=bayko.uuid, group=pair_group_uuid(andrew.uuid, bayko.uuid), text="Theirs")
    delete_account.ask(user_uuid=andrew.uuid, now=NOW)
    andrew.refresh_from_db()
    return andrew


def do_all(person: User, table: MessageTable, pool: UserPool, *, now: datetime = LATER) -> list[float]:
    steps = delete_account.steps(user_uuid=person.uuid, table=table, user_pool=lambda: pool, clock=lambda: now)
    return list(steps)


# --- From the first moment --------------------------------------------------------------------------------------------


def test_every_session_ends(client: Client, table: MessageTable, andrew: User) -> None:
    client.force_login(andrew)

    delete_account.ask(user_uuid=andrew.uuid, now=NOW)

    assert client.get("/messages").status_code == 302


def test_sign_in_is_refused_with_a_page_of_its_own(andrew: User) -> None:
    delete_account.ask(user_uuid=andrew.uuid, now=NOW)

    with pytest.raises(AccountDeleted):
        person_of(Identity(sub="sub-andrewbrown", email="", name="", handle="andrewbrown", is_admin=True))


def test_deleted_user_is_hidden_everywhere(client: Client, table: MessageTable, andrew: User, bayko: User) -> None:
    start(by=andrew.uuid, to=bayko.uuid)
    group = pair_group_uuid(andrew.uuid, bayko.uuid)
    delete_account.ask(user_uuid=andrew.uuid, now=NOW)
    client.force_login(bayko)

    page = client.get(f"/messages/{group}").content.decode()

    assert "Andrew" not in page
    assert "Deleted user" in page
    assert client.get("/@andrewbrown").status_code == 404
    assert client.get("/messages/new/andrewbrown").status_code == 404
    assert find_people(query="andrew", exclude=bayko, page=1).total == 0
    assert people_by_uuid([andrew.uuid]) == {}


def test_repeated_request_changes_nothing(andrew: User) -> None:
    delete_account.ask(user_uuid=andrew.uuid, now=NOW)

    delete_account.ask(user_uuid=andrew.uuid, now=LATER)

    andrew.refresh_from_db()
    assert andrew.deletion_asked_at == NOW


def test_asking_takes_one_statement(andrew: User, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    with transaction.atomic(), django_assert_num_queries(3):  # with a savepoint around it
        delete_account.ask(user_uuid=andrew.uuid, now=NOW)


@pytest.mark.parametrize("rights", ["is_active", "is_staff"])
def test_database_rejects_reactivation(andrew: User, rights: str) -> None:
    delete_account.ask(user_uuid=andrew.uuid, now=NOW)

    with pytest.raises(IntegrityError, match="user_who_is_deleted_stays_out"):
        User.objects.filter(pk=andrew.pk).update(**{rights: True})


# --- At the last ------------------------------------------------------------------------------------------------------


def test_messages_are_tombstones_and_others_keep_theirs(table: MessageTable, pool: UserPool, gone: User) -> None:
    do_all(gone, table, pool)

    group = next(iter(table.conversations())).group_uuid
    assert texts(table, group) == ["", "Theirs"]
    assert not [key for key in items(table) if key[0] == f"GRP#{gone.uuid}"]


def test_the_cognito_user_is_gone(table: MessageTable, pool: UserPool, gone: User) -> None:
    do_all(gone, table, pool)

    assert list(pool.users()) == []


def test_the_row_keeps_the_uuid_and_nothing_about_the_person(table: MessageTable, pool: UserPool, gone: User) -> None:
    do_all(gone, table, pool)

    row = User.objects.filter(pk=gone.pk).values().get()
    assert {
        "uuid": gone.uuid,
        "handle": f"-{gone.uuid.hex[:29]}",
        "handle_skeleton": gone.handle_skeleton,
        "cognito_user_id": f"deleted-{gone.uuid}",
        "last_login": None,
        "is_active": False,
        "deletion_asked_at": NOW,
        "deleted_at": LATER,
    }.items() <= row.items()
    assert "andrew" not in str({name: value for name, value in row.items() if name != "handle_skeleton"}).lower()


def test_sessions_are_deleted_with_what_they_hold(
    client: Client, table: MessageTable, pool: UserPool, gone: User, bayko: User
) -> None:
    client.force_login(bayko)
    for _ in range(3):
        client_of_gone = Client()
        client_of_gone.force_login(gone)
        session = client_of_gone.session
        remember(session, start(by=gone.uuid, to=User(handle="x").uuid), member_uuids=[gone.uuid])
        session.save()

    do_all(gone, table, pool)

    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM django_session")
        assert cursor.fetchone() == (1,)
    assert client.get("/messages").status_code == 200


def test_handle_is_free_after_deletion(table: MessageTable, pool: UserPool, gone: User) -> None:
    do_all(gone, table, pool)

    assert person_by_handle("andrewbrown") is None
    with pytest.raises(HandleError) as refused:
        require_free("AndrewBrown")
    assert refused.value.code == "handle_taken"
    with pytest.raises(HandleError):
        require_free("andrewbr0wn")
    with pytest.raises(IntegrityError):
        User.objects.create_user(handle="andrewbrown", display_name="An impostor", cognito_user_id="other")


def test_saving_the_row_gives_the_handle_to_nobody(table: MessageTable, pool: UserPool, gone: User) -> None:
    do_all(gone, table, pool)
    row = User.objects.get(pk=gone.pk)

    row.save()

    with pytest.raises(HandleError):
        require_free("andrewbrown")


def test_seed_does_not_restore_deleted_users(table: MessageTable, pool: UserPool, gone: User) -> None:
    do_all(gone, table, pool)

    created, found = seed_people()

    assert "andrewbrown" not in [person.handle for person in created]
    assert gone in found


def test_next_sign_in_creates_a_new_user(table: MessageTable, pool: UserPool, gone: User) -> None:
    do_all(gone, table, pool)

    identity = Identity(sub="another-sub", email="", name="Andrew", handle="andrew_again", is_admin=False)

    assert person_of(identity).uuid != gone.uuid


def test_user_without_cognito_is_deleted_without_a_call(table: MessageTable, andrew: User) -> None:
    User.objects.filter(pk=andrew.pk).update(cognito_user_id=MOCK)
    delete_account.ask(user_uuid=andrew.uuid, now=NOW)

    def no_pool() -> UserPool:
        raise CognitoError("There is none.")

    list(delete_account.steps(user_uuid=andrew.uuid, table=table, user_pool=no_pool, clock=lambda: LATER))

    assert delete_account_module.waiting() == []


def test_a_namesake_in_cognito_stays(table: MessageTable, pool: UserPool, gone: User) -> None:
    add_user(pool, "andrewbrown2", email="other@cruddur.example")

    do_all(gone, table, pool)

    assert [user.handle for user in pool.users()] == ["andrewbrown2"]


def test_blocks_without_messages_are_deleted(table: MessageTable, pool: UserPool, gone: User, londo: User) -> None:
    block(user_uuid=gone.uuid, other_uuid=londo.uuid, now=NOW)

    do_all(gone, table, pool)

    assert blocked_by(gone.uuid) == []
    conversation = table.conversation(pair_group_uuid(gone.uuid, londo.uuid))
    assert conversation is not None
    assert conversation.left_uuids == {gone.uuid}


# --- Between ----------------------------------------------------------------------------------------------------------


def test_sends_in_flight_at_deletion_are_erased_too(
    table: MessageTable, pool: UserPool, gone: User, londo: User
) -> None:
    moments = iter([NOW + timedelta(seconds=5), LATER, LATER, LATER])
    steps = delete_account.steps(user_uuid=gone.uuid, table=table, user_pool=lambda: pool, clock=lambda: next(moments))
    waits = (seconds for seconds in steps if seconds)

    assert next(waits) == 55.0
    start(by=gone.uuid, to=londo.uuid, text="From a request that was slow")
    list(steps)

    assert texts(table, pair_group_uuid(gone.uuid, londo.uuid)) == [""]
    assert not [key for key in items(table) if key[0] == f"GRP#{gone.uuid}"]


def test_without_cognito_the_messages_go_and_the_row_stays(table: MessageTable, gone: User) -> None:
    def no_pool() -> UserPool:
        raise CognitoError("Cognito does not answer.")

    with pytest.raises(CognitoError):
        list(delete_account.steps(user_uuid=gone.uuid, table=table, user_pool=no_pool, clock=lambda: LATER))

    drain(table)
    assert "Mine" not in str(items(table))
    assert delete_account_module.waiting() == [gone.uuid]


def test_other_accounts_are_not_deleted(table: MessageTable, pool: UserPool, bayko: User) -> None:
    with pytest.raises(User.DoesNotExist):
        do_all(bayko, table, pool)


def test_logs_name_uuids_and_nothing_else(
    table: MessageTable, pool: UserPool, gone: User, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("DEBUG", logger="messaging"):
        do_all(gone, table, pool)

    assert str(gone.uuid) in caplog.text
    assert not [word for word in ("andrew", "Mine", "@") if word in caplog.text.lower()]


class Died(Exception):
    """The process is gone."""


@contextmanager
def dying_at(table: MessageTable, pool: UserPool, number: int) -> Iterator[list[str]]:
    """Let the process die before its request of this number, counted from 0; yields the requests that were sent."""
    sent: list[str] = []

    def die(request: Any, **_: Any) -> None:
        if len(sent) == number:
            raise Died
        sent.append(request.headers["X-Amz-Target"].decode())

    clients = (table.client, pool.client)
    for client in clients:
        client.meta.events.register_first("before-send", die)
    try:
        yield sent
    finally:
        for client in clients:
            client.meta.events.unregister("before-send", die)


def test_deletion_is_completed_after_a_crash_at_any_call(table: MessageTable, pool: UserPool, gone: User) -> None:
    """Each time it gets a call further and dies: in the end all is done, and nothing of it twice."""
    tried = 0
    while delete_account_module.waiting():
        with dying_at(table, pool, tried), suppress(Died):
            do_all(gone, table, pool)
        tried += 1

    group = next(iter(table.conversations())).group_uuid
    assert texts(table, group) == ["", "Theirs"]
    assert not [key for key in items(table) if key[0] == f"GRP#{gone.uuid}"]
    assert list(pool.users()) == []
    conversation = table.conversation(group)
    assert conversation is not None
    # Two messages, that they left, one tombstone.
    assert conversation.version == 4
    assert tried > 5


def test_dynamodb_may_be_away_meanwhile(table: MessageTable, pool: UserPool, gone: User) -> None:
    throttled = answer("ProvisionedThroughputExceededException")
    with fault(table, "TransactWriteItems", *[throttled] * 4), pytest.raises(Unavailable):
        do_all(gone, table, pool)

    do_all(gone, table, pool)

    assert delete_account_module.waiting() == []


# --- For the others ---------------------------------------------------------------------------------------------------


def test_others_read_and_delete_and_are_told_neutrally_that_nothing_more_is_written(
    client: Client, table: MessageTable, pool: UserPool, gone: User, bayko: User
) -> None:
    do_all(gone, table, pool)
    drain(table)
    group = pair_group_uuid(gone.uuid, bayko.uuid)
    client.force_login(bayko)

    page = client.get(f"/messages/{group}").content.decode()
    sent = client.post(f"/messages/{group}", {"message": "Hello?", "message_uuid": "0" * 32, "after": ""})

    assert "This message was deleted" in page
    assert "Theirs" in page
    assert "Nothing can be written in this conversation." in page
    assert sent.status_code == 403
    assert "Hello?" in sent.content.decode()
    theirs = conversations.load_conversation(user_uuid=bayko.uuid, group_uuid=group).messages[1]
    edit_message.delete(user_uuid=bayko.uuid, group_uuid=group, created_at=theirs.created_at, now=LATER)


def test_the_list_of_others_shows_a_deleted_user(
    client: Client, table: MessageTable, pool: UserPool, gone: User, bayko: User
) -> None:
    do_all(gone, table, pool)
    drain(table)
    client.force_login(bayko)

    page = client.get("/messages").content.decode()

    assert "Deleted user" in page
    assert "Theirs" in page


# --- The command ------------------------------------------------------------------------------------------------------


def run(*arguments: str) -> str:
    out = StringIO()
    call_command("delete_person", *arguments, stdout=out, stderr=out, no_color=True, skip_checks=True)
    return out.getvalue()


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Skip the wait for requests that are under way."""
    monkeypatch.setattr(delete_account, "REQUESTS_END_WITHIN", timedelta(0))


@pytest.fixture
def someone(andrew: User, pool: UserPool, table: MessageTable, bayko: User) -> User:
    User.objects.filter(pk=andrew.pk).update(cognito_user_id=add_user(pool, "andrewbrown"))
    start(by=andrew.uuid, to=bayko.uuid, text="Mine")
    return andrew


def is_deleted(person: User) -> bool:
    person.refresh_from_db()
    return person.deleted_at is not None


@pytest.mark.usefixtures("at_once")
def test_the_command_deletes_whom_it_is_told(table: MessageTable, someone: User, bayko: User) -> None:
    out = run("@AndrewBrown", "--yes")

    assert out.endswith("1 account deleted.\n")
    assert is_deleted(someone)
    assert not is_deleted(bayko)
    drain(table)
    assert "Mine" not in str(items(table))


@pytest.mark.usefixtures("at_once")
def test_the_command_may_be_repeated(someone: User) -> None:
    run("andrewbrown", "--yes")

    assert "deleted before" in run("andrewbrown", "--yes")


@pytest.mark.usefixtures("at_once")
def test_pending_does_what_was_asked_for(someone: User, bayko: User) -> None:
    delete_account.ask(user_uuid=someone.uuid, now=NOW)

    run("--pending")

    assert is_deleted(someone)
    assert not is_deleted(bayko)


def test_the_command_says_what_it_did_for_programs(monkeypatch: pytest.MonkeyPatch, someone: User) -> None:
    monkeypatch.setattr(delete_account, "REQUESTS_END_WITHIN", timedelta(0))

    out = run("andrewbrown", "--yes", "--json", "-v0")

    assert out == f'{{"deleted": 1, "uuids": ["{someone.uuid}"]}}\n'


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        ([], "Name a handle, or give --pending."),
        (["nobody_here", "--yes"], "Nobody is called @nobody_here."),
        (["andrewbrown"], "Nobody is there to be asked: nothing was dropped. Programs add --yes."),
        (["andrewbrown", "--yes", "--confirm", "bayko"], "--confirm bayko is not andrewbrown: nothing was dropped."),
    ],
)
def test_the_command_refuses(someone: User, arguments: list[str], why: str) -> None:
    with pytest.raises(Exception, match="^" + why.replace(".", r"\.")):
        run(*arguments)

    someone.refresh_from_db()
    assert not someone.is_leaving


def test_production_wants_the_handle_twice(settings: Settings, someone: User) -> None:
    settings.PRODUCTION = True

    with pytest.raises(Exception, match="add --confirm andrewbrown"):
        run("andrewbrown", "--yes")
