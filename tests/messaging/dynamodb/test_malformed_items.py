"""Every attribute of every kind of item, missing, of another type or nonsense, before every reader.

Nothing ends in a traceback, the item and the attribute are named and no text is, what is healthy is shown as ever, and
`ddb_reconcile` repairs the item or names what a person has to put right.
"""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any
from urllib.parse import quote
from uuid import UUID, uuid4

import pytest
from django.core.management import CommandError
from django.test import Client
from django.utils import timezone

from cruddur.models import RateBucket
from messaging.actions import delete_account
from messaging.actions import read as read_actions
from messaging.dynamodb.codec import conversation_from, entry_from, message_from
from messaging.dynamodb.keys import conversation_key, entry_key, message_key
from messaging.dynamodb.malformed import MalformedItem
from messaging.dynamodb.table import MessageTable
from messaging.models import BlockedPerson, DeadLetter
from messaging.operations.consistency.comparison import ONLY_THE_CONVERSATION_KNOWS
from messaging.operations.consistency.findings import Kind
from messaging.queries import conversations
from messaging.stream.apply import apply
from messaging.stream.dead_letters import PostgresDeadLetters
from messaging.stream.dead_letters import replay as replay_dead_letters
from messaging.stream.projection import change_to
from tests.messaging.command_runs import run
from tests.messaging.damage import Items, everything, put, reconcile, restore
from tests.messaging.pages import HTML, SCRIPT, group_of, text_of
from tests.messaging.talk import drain, send, start
from tests.messaging.unread_total import unread_total
from users.models import User

pytestmark = pytest.mark.django_db

SECRET = "what nobody else may read"
HEALTHY = "from Londo, as ever"

NONSENSE: dict[str, dict[str, Any] | None] = {
    "missing": None,
    "text": {"S": SECRET},
    "an odd time": {"S": "2026-13-45T25:61:00.000000+00:00"},
    "a number": {"N": "7"},
    "a large number": {"N": "9" * 38},
    "a fraction": {"N": "-1.5"},
    "a truth value": {"BOOL": True},
    "15 bytes": {"B": bytes(15)},
    "a set of 15 bytes": {"BS": [bytes(15)]},
    "a list in place of a set": {"L": [{"B": bytes(16)}]},
    "a map": {"M": {"seq": {"S": SECRET}}},
}
INDEX_KEYS = ("inbox", "last_message_at", "message_group_uuid")
"""DynamoDB takes nothing but texts for them, or nothing."""
ATTRIBUTES = {
    "conversation": (
        "member_uuids", "seq", "version", "last_sk", "message", "last_user_uuid", "sent", "blocked_by", "awaiting",
        "left_uuids", "request_id", "unknown",
    ),
    "message": ("seq", "message", "message_uuid", "user_uuid", "edited_at", "deleted_at", "unknown"),
    "entry": (
        "message_group_uuid", "member_uuids", "last_message_at", "message", "last_user_uuid", "last_seq", "sent_seq",
        "version", "inbox", "read_seq", "read_sk", "muted_until", "unknown",
    ),
}  # fmt: skip
READ = {"conversation": conversation_from, "message": message_from, "entry": entry_from}
CASES = [(kind, attribute) for kind, attributes in ATTRIBUTES.items() for attribute in attributes]
BY_HAND = {
    "conversation": ONLY_THE_CONVERSATION_KNOWS,
    "message": ("message", "message_uuid", "user_uuid", "edited_at", "deleted_at"),
    "entry": (),
}


@dataclass
class Place:
    """Andrew's conversation with Bayko, whose items are damaged, and his with Londo, which is healthy."""

    table: MessageTable
    andrew: User
    bayko: User
    londo: User
    client: Client
    file: Path
    group: UUID
    created_at: str
    """Of Andrew's last message to Bayko."""
    keys: dict[str, dict[str, Any]]
    is_thinned: bool
    whole: Items = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"/messages/{self.group}"

    def key_of(self, kind: str) -> tuple[str, str]:
        key = self.keys[kind]
        return key["pk"]["S"], key["sk"]["S"]

    def damage(self, kind: str, attribute: str, value: dict[str, Any] | None) -> dict[str, Any]:
        """Make the table whole but for this attribute; returns the damaged item."""
        restore(self.table, self.whole)
        item = {name: each for name, each in self.whole[self.key_of(kind)].items() if name != attribute}
        if value is not None:
            item[attribute] = value
        put(self.table, item)
        RateBucket.objects.all().delete()
        BlockedPerson.objects.all().delete()
        DeadLetter.objects.all().delete()
        return item


@pytest.fixture
def place(
    request: pytest.FixtureRequest,
    table: MessageTable,
    andrew: User,
    bayko: User,
    londo: User,
    client: Client,
    tmp_path: Path,
) -> Place:
    now = timezone.now() - timedelta(minutes=5)
    group = group_of(andrew, bayko)
    start(by=bayko.uuid, to=andrew.uuid, text=f"First, {SECRET}", now=now)
    send(by=bayko.uuid, group=group, text=f"Second, {SECRET}", now=now)
    mine = send(by=andrew.uuid, group=group, text=f"Mine, {SECRET}", now=now)
    start(by=londo.uuid, to=andrew.uuid, text=HEALTHY, now=now)
    drain(table)
    read_actions.mark_read(user_uuid=andrew.uuid, group_uuid=group, created_at=mine.created_at)
    client.force_login(andrew)
    is_thinned = request.config.getoption("fast")
    keys = {
        "conversation": conversation_key(group),
        "message": message_key(group, mine.created_at),
        "entry": entry_key(andrew.uuid, group),
    }
    found = Place(table, andrew, bayko, londo, client, tmp_path / "file", group, mine.created_at, keys, is_thinned)
    found.whole = everything(table)
    return found


def values_for(place: Place, kind: str, attribute: str) -> Iterator[tuple[str, dict[str, Any] | None]]:
    """Yield what is put in an attribute: all nonsense, or with --fast one value, another for each attribute."""
    values = [
        (name, value)
        for name, value in NONSENSE.items()
        if kind != "entry" or attribute not in INDEX_KEYS or value is None or "S" in value
    ]
    if place.is_thinned:
        values = [values[CASES.index((kind, attribute)) % len(values)]]
    yield from values


# --- Readers ----------------------------------------------------------------------------------------------------------


def _get(path: str) -> Callable[[Place], int]:
    return lambda place: place.client.get(place.url + path, headers=HTML).status_code


def _post(path: str, **data: str) -> Callable[[Place], int]:
    return lambda place: place.client.post(place.url + path, data, headers=SCRIPT).status_code


def _message(path: str = "", **data: str) -> Callable[[Place], int]:
    def ask(place: Place) -> int:
        url = f"{place.url}/{quote(place.created_at)}{path}"
        return (
            place.client.post(url, data, headers=SCRIPT) if data else place.client.get(url, headers=HTML)
        ).status_code

    return ask


def _send(place: Place) -> int:
    form = {"message": "More", "message_uuid": str(uuid4()), "after": ""}
    return place.client.post(place.url, form, headers=HTML).status_code


def _start(place: Place) -> int:
    form = {"message": "Again", "message_uuid": str(uuid4()), "after": ""}
    return place.client.post(f"/messages/new/{place.bayko.handle}", form, headers=HTML).status_code


def _read(place: Place) -> int:
    return place.client.post(f"{place.url}/read", {"created_at": place.created_at}, headers=SCRIPT).status_code


def _block(place: Place) -> int:
    return place.client.post(f"/messages/people/{place.bayko.uuid}/block", headers=HTML).status_code


PAGES: dict[str, Callable[[Place], int]] = {
    "the conversation": _get(""),
    "its newest messages": _get("?newest"),
    "a window": _get("/messages"),
    "what a page lacks": lambda place: place.client.get(f"{place.url}/since?version=1&after=&first=").status_code,
    "its menu": _get("/options"),
    "an alert": _get("/alert"),
    "a message's menu": _message(),
    "the form to edit": _message("/edit"),
    "the first message's page": lambda place: place.client.get(f"/messages/new/{place.bayko.handle}").status_code,
    "sending": _send,
    "starting": _start,
    "reading": _read,
    "typing": _post("/typing"),
    "editing": _message("/edit", message="Edited"),
    "archiving": _post("/archive"),
    "muting": _post("/mute", **{"for": "hour"}),
    "marking unread": _post("/unread"),
    "accepting": _post("/answer", answer="accept"),
    "declining": _post("/answer", answer="decline"),
    "deleting": _message("/delete", sure="yes"),
    "blocking": _block,
}
ANSWERS = {200, 201, 204, 302, 303, 403, 404, 409, 422, 503}
SHOWN = {"the conversation", "its newest messages", "a window", "what a page lacks", "its menu"}
"""Are there or cannot be shown, and nothing between."""

COMMANDS: dict[str, Callable[[Place], tuple[str, ...]]] = {
    "ddb_get_conversation": lambda place: (str(place.group),),
    "ddb_list_conversations": lambda place: (place.andrew.handle,),
    "ddb_scan": lambda place: (),
    "ddb_export": lambda place: (str(place.file / str(uuid4())),),
    "export_person": lambda place: (place.andrew.handle, "--output", str(place.file / str(uuid4()))),
}
LISTS_ITEMS = ("ddb_scan", "ddb_export")
"""Show items as they are."""


@contextmanager
def logged(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    caplog.clear()
    with caplog.at_level(logging.INFO):
        yield


def malformed_in(item: dict[str, Any], kind: str) -> MalformedItem | None:
    try:
        READ[kind](item)
    except MalformedItem as error:
        return error
    return None


def told(place: Place, command: str, *arguments: str) -> tuple[int, str]:
    """Return the exit code of a command and its error message."""
    out = StringIO()
    try:
        run(command, *arguments, out=out)
    except CommandError as error:
        return error.returncode, str(error)
    return 0, ""


def outcome_of_projection(place: Place, item: dict[str, Any]) -> str:
    """Return why this change of a conversation is put aside, "" when it is projected."""
    change = change_to(item, "1")
    letters = PostgresDeadLetters("arn")
    apply(place.table, change, shard_id="shard", dead_letters=letters, sleep=lambda _: None)
    reasons = [letter.reason for letter in DeadLetter.objects.all()]
    assert [each.reason for each in replay_dead_letters(place.table)] == reasons
    return "".join(reasons)


# --- What is promised -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "attribute"), CASES)
def test_a_reader_names_the_item_and_the_attribute_and_no_text(place: Place, kind: str, attribute: str) -> None:
    pk, sk = place.key_of(kind)
    for name, value in values_for(place, kind, attribute):
        item = place.damage(kind, attribute, value)
        if error := malformed_in(item, kind):
            assert (error.pk, error.sk, error.attribute) == (pk, sk, attribute), name
            assert SECRET not in str(error)
            assert SECRET not in error.reason
            assert SECRET not in "".join(traceback.format_exception(error))


@pytest.mark.parametrize(("kind", "attribute"), CASES)
def test_pages_show_what_is_healthy_and_none_breaks(
    place: Place, kind: str, attribute: str, caplog: pytest.LogCaptureFixture
) -> None:
    others = Client()
    others.force_login(place.londo)
    stranger_to_it = f"/messages/{place.group}"
    for name, value in values_for(place, kind, attribute):
        item = place.damage(kind, attribute, value)
        error = malformed_in(item, kind)
        with logged(caplog):
            # Lists first: what follows writes, and without script opening a conversation reads it.
            assert unread_total(user_uuid=place.andrew.uuid, now=timezone.now()).count >= 1, name
            for page in ("/messages", "/messages/rows", f"/messages/{group_of(place.andrew, place.londo)}"):
                response = place.client.get(page, headers=HTML)
                assert response.status_code == 200, (name, page)
                assert HEALTHY in text_of(response), (name, page)
            for page in ("/messages/archived", "/messages/requests"):
                assert place.client.get(page).status_code == 200, (name, page)
            assert others.get("/messages").status_code == 200
            assert others.get(stranger_to_it).status_code == 404, name
            for what, ask in PAGES.items():
                status = ask(place)
                assert status in ANSWERS, (name, what, status)
                if what in SHOWN:
                    cannot = kind == "conversation" and error is not None
                    assert status == (503 if cannot else 200), (name, what, status)
        if error:
            assert SECRET not in "".join(record.getMessage() for record in caplog.records if record.exc_info is None)
            assert not [record for record in caplog.records if record.exc_info and record.name == "django.request"]
            if kind == "conversation":
                assert error.reason in caplog.text, name


@pytest.mark.parametrize(("kind", "attribute"), CASES)
def test_commands_go_on_and_say_what_they_left_out(place: Place, kind: str, attribute: str) -> None:
    place.file.mkdir()
    for name, value in values_for(place, kind, attribute):
        item = place.damage(kind, attribute, value)
        error = malformed_in(item, kind)
        for command, arguments in COMMANDS.items():
            code, sentence = told(place, command, *arguments(place))
            assert SECRET not in sentence
            if error is None or command in LISTS_ITEMS:
                assert (code, sentence) == (0, ""), (name, command)
            elif sentence:
                assert code == 1
                assert attribute in sentence, (name, command)
                assert place.key_of(kind)[0] in sentence, (name, command)
        if error and kind != "entry":
            assert told(place, "ddb_get_conversation", str(place.group))[0] == 1, name
        if error:
            assert told(place, "export_person", place.andrew.handle)[0] == 1, name


@pytest.mark.parametrize(("kind", "attribute"), CASES)
def test_the_projection_puts_aside_what_it_cannot_apply_and_names_it(place: Place, kind: str, attribute: str) -> None:
    for name, value in values_for(place, kind, attribute):
        item = place.damage(kind, attribute, value)
        error = malformed_in(item, kind)
        newer = place.whole[place.key_of("conversation")]
        image = item if kind == "conversation" else {**newer, "version": {"N": "90"}, "last_seq": {"N": "90"}}
        if kind != "conversation":
            put(place.table, image)

        reason = outcome_of_projection(place, image)

        # What is smaller is written over, whatever it is.
        cannot_follow = kind == "entry" and attribute == "version" and value not in ({"N": "7"}, {"N": "-1.5"})
        assert bool(reason) == (cannot_follow or (kind == "conversation" and error is not None)), name
        if reason:
            assert attribute in reason
            assert place.key_of(kind)[0] in reason
            assert SECRET not in reason
        # Whatever is wrong with one member's entry: the other's follows.
        if kind == "entry":
            assert entry_of_bayko(place) == 90


def entry_of_bayko(place: Place) -> int:
    (entry,) = place.table.entries(place.group, [place.bayko.uuid])
    return entry.version


@pytest.mark.parametrize(("kind", "attribute"), CASES)
def test_reconcile_repairs_it_or_names_what_to_put_right_by_hand(place: Place, kind: str, attribute: str) -> None:
    for name, value in values_for(place, kind, attribute):
        item = place.damage(kind, attribute, value)
        error = malformed_in(item, kind)

        found = reconcile(place.table)

        assert all(SECRET not in each.sentence for each in found)
        if error and attribute in BY_HAND[kind]:
            by_hand = [each for each in found if each.kind == Kind.MALFORMED]
            assert [(each.pk, each.sk) for each in by_hand] == [place.key_of(kind)], name
            assert f"put {attribute} right by hand" in by_hand[0].sentence, name
        else:
            assert all(each.repaired for each in found), (name, found)
            repaired = everything(place.table)[place.key_of(kind)]
            assert malformed_in(repaired, kind) is None, name
            assert reconcile(place.table) == [], name
            if error:
                assert found, name


@pytest.mark.parametrize(("kind", "attribute"), CASES)
def test_deleting_an_account_erases_all_it_can_and_ends_only_when_nothing_is_left(
    place: Place, kind: str, attribute: str
) -> None:
    asked = timezone.now()
    for name, value in values_for(place, kind, attribute):
        place.damage(kind, attribute, value)
        User.objects.filter(pk=place.andrew.pk).update(deletion_asked_at=asked, is_active=False, deleted_at=None)
        left: MalformedItem | None = None
        try:
            list(
                delete_account.steps(
                    user_uuid=place.andrew.uuid,
                    table=place.table,
                    user_pool=no_pool,
                    clock=lambda: asked + timedelta(hours=1),
                )
            )
        except MalformedItem as error:
            left = error

        items = everything(place.table)
        mine = items[place.key_of("message")]
        healthy = entry_key(place.andrew.uuid, group_of(place.andrew, place.londo))
        assert (healthy["pk"]["S"], healthy["sk"]["S"]) not in items, name
        person = User.objects.get(pk=place.andrew.pk)
        assert (person.deleted_at is None) == (left is not None), name
        if left is None:
            assert place.key_of("entry") not in items, name
            assert "Mine" not in str(mine), name
            assert "message" not in mine, name
        else:
            assert (left.attribute, f"{left.pk} {left.sk}") == (attribute, " ".join(place.key_of(kind))), name
            assert place.key_of("entry") in items, name


def no_pool() -> Any:
    class NoUsers:
        def user_of(self, sub: str) -> None:
            return None

    return NoUsers()


def test_a_list_goes_on_past_a_page_of_nothing_but_malformed_entries(
    table: MessageTable, andrew: User, bayko: User
) -> None:
    """More bad entries than a page has, and before all others: the list shows the good ones, and pages go on."""
    start(by=bayko.uuid, to=andrew.uuid, text=HEALTHY)
    entry = everything(table)[f"GRP#{andrew.uuid}", str(group_of(andrew, bayko))]
    good = 25
    for number in range(60):
        group = UUID(int=1000 + number)
        moment = f"2026-11-22T00:00:{number % 60:02}.000000+00:00"
        copy = {**entry, "sk": {"S": str(group)}, "last_message_at": {"S": moment}}
        put(table, copy if number < good else {**copy, "last_seq": {"S": SECRET}})

    seen: list[UUID] = []
    cursor: str | None = None
    left_out = 0
    while True:
        page = conversations.list_conversations(user_uuid=andrew.uuid, before=cursor)
        seen += [each.group_uuid for each in page.entries]
        left_out += len(page.left_out)
        cursor = page.older
        if cursor is None:
            break

    assert seen == [*(UUID(int=1000 + number) for number in reversed(range(good))), group_of(andrew, bayko)]
    assert left_out >= 60 - good


def test_a_healthy_list_costs_one_call(table: MessageTable, andrew: User, bayko: User, calls: Any) -> None:
    start(by=bayko.uuid, to=andrew.uuid)

    with calls.counted(table.client) as made:
        conversations.list_conversations(user_uuid=andrew.uuid)

    assert made.operations == ["Query"]


def test_text_posted_to_a_malformed_conversation_is_kept(place: Place) -> None:
    place.damage("conversation", "seq", {"S": SECRET})

    response = place.client.post(
        place.url, {"message": "Do not lose me", "message_uuid": str(uuid4()), "after": ""}, headers=HTML
    )

    assert response.status_code == 503
    assert "Do not lose me" in response.content.decode()
    assert "Retry-After" not in response
    assert SECRET not in response.content.decode()


def test_a_report_on_a_malformed_conversation_keeps_its_text(place: Place) -> None:
    place.damage("conversation", "seq", {"S": SECRET})

    response = place.client.post(
        place.url.replace("/messages/", "/report/"), {"reason": "spam", "note": "Do not lose this"}, headers=HTML
    )

    assert response.status_code == 503
    assert "Do not lose this" in response.content.decode()
    assert 'name="reason" value="spam"' in response.content.decode()
    assert SECRET not in response.content.decode()
