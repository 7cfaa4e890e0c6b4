"""Meter the access patterns of the old system, with the seed's conversations in its table."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from uuid import UUID, uuid5

from django.utils import timezone

from messaging.domain.entities import PAIR_NAMESPACE
from messaging.dynamodb.connection import message_table
from messaging.dynamodb.table import MessageTable
from messaging.operations.seeding import seed_conversations
from users.people import seeded_people

from .cost_rows import Row
from .meter import Cost, Items, metered
from .old_system import INDEXES, Item, OldPerson, OldSystem, as_answer, entry_item, message_item

TEXT = "x" * 181
"""A text of the seed's average length."""
ME, OTHER, STRANGER = "andrewbrown", "bayko", "somebody"


def old_rows(*, burst: int, seeded: int | None) -> Iterator[Row]:
    """Yield patterns A to E, a message (C and E together), and a burst, in which each message is moved separately."""
    client = message_table().client
    old = OldSystem(lambda: client)
    old.create_table()
    table = MessageTable(client, old.name)
    people = {each.handle: OldPerson(person_uuid(each.handle), each.display_name, each.handle)
              for each in seeded_people()}  # fmt: skip
    stranger = OldPerson(person_uuid(STRANGER), "Somebody Else", STRANGER)
    old.put_all(seed_items(people, seeded))
    me, group = people[ME], group_of(ME, OTHER)
    with metered(table, indexes=INDEXES) as cost:
        answer = as_answer(old.messages(group))
    yield Row("A thread", cost, sent_bytes=len(answer))
    with metered(table, indexes=INDEXES) as cost:
        answer = as_answer(old.conversations(me.uuid))
    yield Row("B conversations", cost, sent_bytes=len(answer))
    with metered(table, indexes=INDEXES) as sent:
        image = old.send(group, me, TEXT)
    yield Row("C send", sent)
    with metered(table, indexes=INDEXES) as started:
        old.start(me, stranger, TEXT)
    yield Row("D start", started)
    with metered(table, indexes=INDEXES) as moved:
        old.move_entries(image)
    yield Row("E the stream moves the entries", moved)
    yield Row("a message, C and E", sent + moved)
    total = Cost()
    for _ in range(burst):
        total = total + sent_and_moved(old, table, group, me, total.after)
    yield Row(f"a burst of {burst}", total, messages=burst)
    client.delete_table(TableName=old.name)


def sent_and_moved(old: OldSystem, table: MessageTable, group: UUID, me: OldPerson, before: Items | None) -> Cost:
    """Measure one message of a burst. The function reads only the first record of a batch, so batches have one."""
    with metered(table, indexes=INDEXES, before=before) as cost:
        old.move_entries(old.send(group, me, TEXT))
    return cost


def person_uuid(handle: str) -> UUID:
    return uuid5(PAIR_NAMESPACE, handle)


def group_of(one: str, other: str) -> UUID:
    return uuid5(PAIR_NAMESPACE, ":".join(sorted((one, other))))


def seed_items(people: dict[str, OldPerson], seeded: int | None) -> Iterator[Item]:
    """Yield the seed's conversations in the old format. Times are minutes ago, so that they are in this year."""
    for age, each in enumerate(seed_conversations()[:seeded]):
        group, (one, other) = group_of(*each.between), each.between
        at = timezone.now() - timedelta(minutes=age)
        for number, (handle, _, text) in enumerate(reversed(each.messages)):
            yield message_item(group, people[handle], text, (at - timedelta(milliseconds=number)).isoformat())
        for owner, about in ((one, other), (other, one)):
            yield entry_item(people[owner].uuid, people[about], group, each.messages[-1][2], at.isoformat())
