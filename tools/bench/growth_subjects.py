"""A person with long conversations, people with many conversations, and their pages."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db import connection

from messaging.domain.entities import pair_group_uuid
from messaging.domain.timestamps import format_created_at, parse_created_at
from messaging.dynamodb.connection import message_table
from tests.messaging.live_site import session_of
from users.models import User

from . import talks
from .growth_figures import Sized, base
from .page_subjects import SHORT, getting, older_path, site_sending
from .stack import Person, Server, signed_in
from .timing import Subject

BESIDE = 20
"""Conversations of the person with the long ones, so that the list is full."""


@dataclass(frozen=True, slots=True)
class People:
    """The signed-in people by purpose."""

    reader: Person
    """Has conversations of all lengths."""
    writer: Person
    """The same person in another browser. Senders have read everything, so pages still open at the end."""
    long: Mapping[int, UUID]
    """The other member of the conversation, by its number of messages."""
    popular: Mapping[int, Person]
    """People by their number of conversations."""


def filled(*, messages: Sequence[int], conversations: Sequence[int]) -> People:
    """Store it all, in one table: DynamoDB Local is slow behind a large one that another was."""
    reader = signed_in("the_reader", "Reader")
    writer = Person(reader.uuid, reader.handle, session_of(User.objects.get(pk=reader.uuid)))
    others = talks.people(max(BESIDE + len(messages), *conversations))
    long = dict(zip(messages, others, strict=False))
    popular = {number: signed_in(f"has_{number}", f"Has {number}") for number in conversations}
    connection.close()
    # Longest first, so that the others are written in parallel.
    talks.write(talks.talk(reader.uuid, other, size) for size, other in sorted(long.items(), reverse=True))
    talks.write(talks.talk(reader.uuid, other, SHORT) for other in others[len(long) : len(long) + BESIDE])
    talks.write(talks.talk(person.uuid, other, 1) for number, person in popular.items() for other in others[:number])
    for other in long.values():
        talks.read_to_the_end(reader.uuid, other)
    return People(reader, writer, long, popular)


def sized(people: People, site: Server) -> Iterator[Sized]:
    """Yield each page at each size, and the base size twice."""
    for again in (False, True):
        for size, other in people.long.items():
            if again and size != base([*people.long]):
                continue
            group = pair_group_uuid(people.reader.uuid, other)
            clients = {
                "thread": getting(site, f"/messages/{group}", people.reader.session),
                "older": getting(site, older_path(group, middle(group)), people.reader.session),
                "send": site_sending(site, [(people.writer, other)]),
            }
            for page, client in clients.items():
                yield Sized(page, size, "messages", Subject(f"{page} {size} {again}", client, site), again)
        for number, person in people.popular.items():
            if again and number != base([*people.popular]):
                continue
            client = getting(site, "/messages", person.session)
            subject = Subject(f"conversations {number} {again}", client, site)
            yield Sized("conversations", number, "conversations", subject, again)


def middle(group_uuid: UUID) -> str:
    """Return a created_at in the middle of the conversation's time range."""
    table = message_table()
    (first,), (last,) = table.messages_after(group_uuid, "", limit=1), table.messages_before(group_uuid, None, limit=1)
    began = parse_created_at(first.created_at)
    return format_created_at(began + (parse_created_at(last.created_at) - began) / 2)
