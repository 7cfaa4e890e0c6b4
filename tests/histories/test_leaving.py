"""After any history somebody deletes their account: what the others have stays as it was, and nothing comes back."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis.configuration import set_hypothesis_home_dir

from messaging.actions import leave_conversations
from messaging.actions.send_message import AwaitingAnswer, Blocked, send
from messaging.domain.entities import Conversation, Entry, Message
from messaging.domain.timestamps import format_created_at
from messaging.dynamodb.table import MessageTable
from messaging.queries import conversations
from messaging.queries.conversations import ConversationNotFound

from .promises import check, items_of
from .stream import deliver
from .tally import Broken, BrokenPromise, Tally
from .test_histories import PAGE_SIZE, STEPS_A_HISTORY, Histories, try_histories
from .world import World

HISTORIES = 4


class ThenSomebodyLeaves(Histories):
    """A history whose first person leaves at the end; then every record of the stream comes once more."""

    def teardown(self) -> None:
        if not (self.world and self.whole):
            return
        self.drain(self.world)
        check(self.world)
        leave(self.world, self.world.people[0], self.chance)


def leave(world: World, person: UUID, chance: random.Random) -> None:
    before = items_of(world)
    now = world.time + timedelta(days=1)
    list(leave_conversations.leave_all(world.table, person, now=now))
    world.log.read()
    # Of a stream that was read too late: each record once more, in any order.
    everything = list(range(len(world.log.records)))
    chance.shuffle(everything)
    for start in range(0, len(everything), 7):
        deliver(world.table, world.log, everything[start : start + 7])
    hold(world, person, before, at=format_created_at(now))


def hold(world: World, person: UUID, before: tuple[list[Conversation], list[Message], list[Entry]], *, at: str) -> None:
    """Compare the items before and after `person` left. Raises BrokenPromise."""
    found, messages, entries = items_of(world)
    expected_messages = [
        replace(each, message="", edited_at="", deleted_at=each.deleted_at or at) if each.user_uuid == person else each
        for each in before[1]
    ]
    if messages != expected_messages:
        raise BrokenPromise(Broken.LOST, f"{messages} should be {expected_messages}")
    newest = {each.group_uuid: each for each in messages}
    for was, now in zip(before[0], found, strict=True):
        has_left = person in was.member_uuids and was.begun
        expected = replace(
            was,
            version=now.version,
            message=was.message if newest.get(was.group_uuid) and newest[was.group_uuid].message else "",
            left_uuids=frozenset((person,)) if has_left else frozenset(),
        )
        if now != expected or now.version < was.version + has_left:
            raise BrokenPromise(Broken.OTHER, f"{now} should be {expected}")
    by_group = {each.group_uuid: each for each in found}
    expected_entries = [
        replace(each, version=by_group[each.group_uuid].version, message=by_group[each.group_uuid].message)
        for each in before[2]
        if each.user_uuid != person
    ]
    if entries != expected_entries:
        raise BrokenPromise(Broken.LISTS, f"{entries} should be {expected_entries}")
    for conversation in found:
        if person in conversation.left_uuids:
            refuse_everybody(world, conversation)


def refuse_everybody(world: World, conversation: Conversation) -> None:
    """Check that nobody can write there any more and that the remaining member still reads it all."""
    for member in conversation.member_uuids:
        try:
            send(
                user_uuid=member,
                group_uuid=conversation.group_uuid,
                text="Hello?",
                message_uuid=world.mint(),
                after="",
                now=world.time,
            )
        except (Blocked, ConversationNotFound, AwaitingAnswer):
            continue
        raise BrokenPromise(Broken.OTHER, f"{member} wrote to who has left")


def test_leaving_keeps_items_of_other_members(
    patient_table: MessageTable, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    set_hypothesis_home_dir(tmp_path)
    monkeypatch.setattr(conversations, "PAGE_SIZE", PAGE_SIZE)
    monkeypatch.setattr(leave_conversations, "MESSAGES_A_PAGE", PAGE_SIZE)
    tally = Tally()

    try_histories(patient_table, tally, seed=7, histories=HISTORIES, kind=ThenSomebodyLeaves)

    assert tally.steps.total() > STEPS_A_HISTORY
