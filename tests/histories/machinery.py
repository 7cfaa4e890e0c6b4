"""What happens behind the pages: consumers of the stream work and die, late requests arrive, entries get lost."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from messaging.dynamodb.keys import entry_key

from .faults import Disturbance, Fault
from .looks import showing
from .stream import deliver
from .world import Action, NobodyKnows, World

WAITS = (
    timedelta(microseconds=1),
    timedelta(seconds=1),
    timedelta(minutes=1),
    timedelta(minutes=14),
    timedelta(hours=5),
)


@dataclass(frozen=True, slots=True)
class Wait:
    """Time passes."""

    wait: int

    def act(self, world: World) -> None:
        world.time += WAITS[self.wait % len(WAITS)]


@dataclass(frozen=True, slots=True)
class Consume:
    """A consumer applies its next records."""

    consumer: int
    count: int

    def act(self, world: World) -> None:
        world.log.read()
        try:
            with world.request():
                world.consumers[self.consumer % len(world.consumers)].consume(self.count)
        except NobodyKnows:
            world.noted("batch: cut")
        else:
            world.noted("batch: applied")


@dataclass(frozen=True, slots=True)
class BeginAnew:
    """A consumer lost its checkpoint, and the stream may be trimmed."""

    consumer: int
    trimmed: int

    def act(self, world: World) -> None:
        world.log.read()
        try:
            with world.request():
                consumer = world.consumers[self.consumer % len(world.consumers)]
                consumer.begin_anew(trimmed_to=self.trimmed % (len(world.log.records) + 1))
        except NobodyKnows:
            world.noted("full projection: cut")
        else:
            world.noted("full projection: done")


@dataclass(frozen=True, slots=True)
class Deliver:
    """These records are delivered, in this order, counted from the newest and from any batch before."""

    records: tuple[int, ...]

    def act(self, world: World) -> None:
        world.log.read()
        count = len(world.log.records)
        try:
            with world.request():
                deliver(world.table, world.log, [-1 - each % count + count for each in self.records if count])
        except NobodyKnows:
            world.noted("batch: cut")
        else:
            world.noted("batch: applied")


@dataclass(frozen=True, slots=True)
class LateArrives:
    """A request that timed out long ago is executed."""

    number: int

    def act(self, world: World) -> None:
        world.network.deliver_late(self.number)


@dataclass(frozen=True, slots=True)
class Overtaken:
    """The writes of one action are so slow that others come first."""

    slow: Action
    others: tuple[Action, ...]

    def act(self, world: World) -> None:
        world.perform(self.slow, (Disturbance(0, Fault.LATE, times=20),))
        for other in self.others:
            world.perform(other)
        while world.network.late:
            world.network.deliver_late()


@dataclass(frozen=True, slots=True)
class Series:
    """One action after the other."""

    actions: tuple[Action, ...]

    def act(self, world: World) -> None:
        for action in self.actions:
            world.perform(action)


@dataclass(frozen=True, slots=True)
class LoseEntry:
    """A person's entry of the conversation in a tab gets lost, as by a mistake of an operator."""

    tab: int

    def act(self, world: World) -> None:
        tab = showing(world, self.tab)
        if tab.group_uuid:
            with world.network.disturbed(()):
                world.table.client.delete_item(TableName=world.table.name, Key=entry_key(tab.person, tab.group_uuid))
            world.stories[tab.group_uuid].lose_entry(tab.person)
            world.log.entry_lost()
