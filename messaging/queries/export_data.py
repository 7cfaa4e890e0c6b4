"""Everything the service keeps about a person, as one JSON document: docs/personal-data.md describes it.

It is made while it is read, a page of messages at a time, so that nobody holds more than that. What is left out at the
end by a failure is missing visibly: the last key, `complete`, and the brackets. What is malformed is left out and named
in `left_out`, and `complete` is false then.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any, TypeVar
from uuid import UUID

from messaging.domain.entities import Conversation, Entry, Message
from messaging.domain.transitions import entry_from_conversation
from messaging.dynamodb.client import Unavailable
from messaging.dynamodb.codec import Item, conversation_from, entry_from, key_of, message_from, uuid_in_key
from messaging.dynamodb.keys import user_pk
from messaging.dynamodb.malformed import MalformedItem, readable
from messaging.dynamodb.table import MessageTable
from messaging.models import BlockedPerson, WrittenOutside
from messaging.presenters.avatar import DELETED_NAME
from users.models import MOCK, User
from users.people import people_by_uuid

FORMAT = "cruddur-personal-data/1"
ENTRIES_A_PAGE = 25
MESSAGES_A_PAGE = 100
WAITS = (1.0, 2.0, 4.0, 8.0, 16.0)
"""Seconds before DynamoDB is asked again: a table of five units a second is slow, not broken."""

T = TypeVar("T")
Facts = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Pause:
    """In place of text: for so many seconds nothing can be read."""

    seconds: float


Steps = Generator[Pause, None, T]

_parts: dict[str, Callable[[User], Iterable[Facts]]] = {}


def also(name: str, rows: Callable[[User], Iterable[Facts]]) -> None:
    """Let the document have a list of this name, of what another app keeps about the person."""
    _parts[name] = rows


def document(
    *, person: User, table: MessageTable, now: datetime, left_out: list[MalformedItem] | None = None
) -> Iterator[str | Pause]:
    """The document in pieces, each of a page at most, and pauses between them; `left_out` gets what is malformed.

    1 call for the first 25 entries and 1 for their conversations, then 1 for each 100 messages, and so on; one SQL
    statement for the people of each 25, and 1 call more for each conversation of others that they wrote into. No piece
    comes before DynamoDB has answered the first time. Raises Unavailable when it does not answer for half a minute.
    """
    left_out = [] if left_out is None else left_out
    page: _Page | None = yield from _page(table, person, None, left_out)
    outside = yield from _outside(table, person, left_out)
    yield _head(person, now, outside)
    separator = "\n"
    while page is not None:
        for conversation, entry in page.conversations:
            facts = _conversation_facts(conversation, entry, page.people, person)
            # The list of messages stays open.
            yield f'{separator}{_json(facts)[:-1]}, "messages": ['
            yield from _messages(table, conversation, person, left_out)
            yield "]}"
            separator = ",\n"
        page = (yield from _page(table, person, page.following, left_out)) if page.following else None
    named = [{"pk": each.pk, "sk": each.sk, "attribute": each.attribute, "why": each.why} for each in left_out]
    yield f'\n],\n"left_out": {_json(named)},\n"complete": {_json(not left_out)}\n}}\n'


@dataclass(frozen=True, slots=True)
class _Page:
    conversations: Sequence[tuple[Conversation, Entry]]
    people: Mapping[UUID, User]
    following: Mapping[str, Any] | None


def _page(
    table: MessageTable, person: User, start: Mapping[str, Any] | None, left_out: list[MalformedItem]
) -> Steps[_Page]:
    """Conversations that the person is a member of: the conversation itself decides that.

    Of a malformed entry only what it alone says is left out, which is the list and how far was read.
    """
    items, following = yield from _with_pauses(lambda: table.entry_page(person.uuid, start, limit=ENTRIES_A_PAGE))
    entries = {entry.group_uuid: entry for entry in readable(items, entry_from, left_out.append)}
    # Where the key is unreadable the entry was left out just now.
    group_uuids = list(readable(items, _group_of, lambda _: None))
    found = yield from _with_pauses(lambda: table.conversation_items_of(group_uuids))
    by_group = {each.group_uuid: each for each in readable(found, conversation_from, left_out.append)}
    own = [
        (conversation, entries.get(group_uuid) or entry_from_conversation(conversation, person.uuid))
        for group_uuid in group_uuids
        if (conversation := by_group.get(group_uuid)) and person.uuid in conversation.member_uuids
    ]
    people = people_by_uuid(uuid for conversation, _ in own for uuid in conversation.member_uuids) if own else {}
    return _Page(own, people, following)


def _group_of(item: Item) -> UUID:
    return uuid_in_key(item, "sk", "")


def _messages(
    table: MessageTable, conversation: Conversation, person: User, left_out: list[MalformedItem]
) -> Iterator[str | Pause]:
    after, separator = "", "\n"
    while True:
        items = yield from _with_pauses(
            partial(table.message_items_after, conversation.group_uuid, after, limit=MESSAGES_A_PAGE)
        )
        if page := list(readable(items, message_from, left_out.append)):
            yield separator + ",\n".join(_json(_message_facts(message, person)) for message in page)
            separator = ",\n"
        if len(items) < MESSAGES_A_PAGE:
            return
        after = key_of(items[-1])[1]


def _with_pauses(read: Callable[[], T]) -> Steps[T]:
    for seconds in WAITS:
        try:
            return read()
        except Unavailable:
            yield Pause(seconds)
    return read()


def _head(person: User, now: datetime, outside: Sequence[Facts]) -> str:
    """All but the conversations, whose list stays open."""
    parts = {name: list(rows(person)) for name, rows in sorted(_parts.items())}
    facts = {
        "format": FORMAT,
        "exported_at": now,
        "person": _person_facts(person),
        "settings": {"who_may_write_first": person.may_write},
        "blocked": list(_blocked(person)),
        **parts,
        "written_outside": outside,
    }
    lines = ",\n".join(f"{_json(name)}: {_json(value)}" for name, value in facts.items())
    return f'{{\n{lines},\n"conversations": ['


def _outside(table: MessageTable, person: User, left_out: list[MalformedItem]) -> Steps[list[Facts]]:
    """Their own messages in conversations of others, and nothing else of those."""
    facts: list[Facts] = []
    for row in WrittenOutside.objects.filter(person=person).order_by("group_uuid"):
        items = yield from _with_pauses(partial(_own_items, table, row.group_uuid, person))
        own = sorted(readable(items, message_from, left_out.append), key=lambda message: message.seq)
        facts.append({"group_uuid": row.group_uuid, "messages": [_message_facts(message, person) for message in own]})
    return facts


def _own_items(table: MessageTable, group_uuid: UUID, person: User) -> list[Item]:
    return list(table.send_items_after(group_uuid, person.uuid, ""))


def _blocked(person: User) -> Iterator[Facts]:
    rows = list(BlockedPerson.objects.filter(person=person).order_by("created_at"))
    people = people_by_uuid(row.blocked_uuid for row in rows) if rows else {}
    for row in rows:
        yield {**_member_facts(row.blocked_uuid, people), "since": row.created_at}


def _person_facts(person: User) -> Facts:
    return {
        "uuid": person.uuid,
        "handle": person.handle,
        "name": person.display_name,
        "bio": person.bio,
        "email": person.email,
        "cognito_user_id": None if person.cognito_user_id == MOCK else person.cognito_user_id,
        "created_at": person.created_at,
        "last_signed_in_at": person.last_login,
    }


def _conversation_facts(
    conversation: Conversation, entry: Entry, people: Mapping[UUID, User], person: User
) -> dict[str, Any]:
    return {
        "group_uuid": conversation.group_uuid,
        "list": _list_of(entry),
        "members": [_member_facts(uuid, people) for uuid in sorted(conversation.member_uuids)],
        "number_of_messages": conversation.seq,
        "read_up_to": entry.read_sk or None,
        "blocked_by_me": person.uuid in conversation.blocked_by,
        "muted_until": datetime.fromtimestamp(entry.muted_until, UTC) if entry.muted_until else None,
    }


def _list_of(entry: Entry) -> str:
    """`inbox`, `requests`, `archived` or `hidden`."""
    if entry.inbox is None:
        return "hidden"
    return entry.inbox.removeprefix(user_pk(entry.user_uuid)).removeprefix("#") or "inbox"


def _member_facts(uuid: UUID, people: Mapping[UUID, User]) -> Facts:
    """As they are called now; who deleted their account has no handle."""
    person = people.get(uuid)
    return {
        "uuid": uuid,
        "handle": person.handle if person else None,
        "name": person.display_name if person else str(DELETED_NAME),
    }


def _message_facts(message: Message, person: User) -> Facts:
    return {
        "seq": message.seq,
        "created_at": message.created_at,
        "user_uuid": message.user_uuid,
        "own": message.user_uuid == person.uuid,
        "text": None if message.deleted_at else message.message,
        "edited_at": message.edited_at or None,
        "deleted_at": message.deleted_at or None,
    }


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=_plain)


def _plain(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)
