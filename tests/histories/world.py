"""Where a history happens: people with tabs, web servers whose clocks differ, a table, its stream, a bad network."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Protocol
from uuid import UUID

from messaging.actions.send_message import Opening
from messaging.domain.entities import Message, pair_group_uuid
from messaging.dynamodb.client import Unavailable
from messaging.dynamodb.table import MessageTable
from messaging.dynamodb.table_definition import table_definition

from .faults import Disturbance, Network, Plan, ProcessDied
from .model import Story
from .stream import Consumer, Log, new_log, project_all
from .tally import Broken, BrokenPromise, Tally

BEGINNING = datetime(2026, 12, 31, 23, 50, tzinfo=UTC)
SKEWS = (timedelta(0), timedelta(minutes=5), timedelta(minutes=-5))
"""Of the web servers' clocks."""
OUTSIDER = UUID(int=99)
# As typed, and as it is to be stored.
TEXTS = (
    ("Hello", "Hello"),
    ("Good morning", "Good morning"),
    ("Cafe\u0301\r\nau lait", "Caf\u00e9\nau lait"),
    ("\N{GRINNING FACE}" * 1024, "\N{GRINNING FACE}" * 1024),
    (" x ", " x "),
)


class NobodyKnows(Exception):
    """The request ended in an error or in silence: it was carried out, or it was not, or it will be."""


class Action(Protocol):
    """Something that somebody does."""

    def act(self, world: World) -> None: ...


@dataclass(frozen=True, slots=True)
class Form:
    """A message's form as it was submitted, which any tab may submit again at any time."""

    by: UUID
    group_uuid: UUID
    starts_with: UUID | None
    """The other person, on the page that starts a conversation."""
    message_uuid: UUID
    after: str
    text: int
    """Index in `TEXTS`."""
    opening: Opening = Opening.FREE
    """What becomes of it where it is the first message."""


@dataclass(slots=True)
class Tab:
    """A page that is open: it knows what it was shown, which may be long ago."""

    person: UUID
    group_uuid: UUID | None = None
    window: list[Message] = field(default_factory=list)
    """Messages without a gap, oldest first."""
    after: str = ""
    """The newest created_at that it knows."""


@dataclass(slots=True)
class World:
    """One history. `perform` takes a step."""

    table: MessageTable
    tally: Tally
    people: tuple[UUID, ...]
    tabs: list[Tab]
    network: Network
    log: Log
    consumers: list[Consumer]
    time: datetime = BEGINNING
    stories: dict[UUID, Story] = field(default_factory=dict)
    """By group."""
    forms: list[Form] = field(default_factory=list)
    _depth: int = 0
    _minted: int = 0

    @classmethod
    def new(cls, table: MessageTable, tally: Tally, *, people: int, tabs: int) -> World:
        """Empty the table and start a world in which nobody has written yet."""
        table.client.delete_table(TableName=table.name)
        table.client.create_table(**table_definition(table.name, on_demand=True))
        uuids = tuple(UUID(int=number) for number in range(1, people + 1))
        log = new_log(table)
        world = cls(
            table=table,
            tally=tally,
            people=uuids,
            tabs=[Tab(uuids[number % people]) for number in range(people * tabs)],
            network=Network(table.client, tally),
            log=log,
            consumers=[Consumer(table, log), Consumer(table, log)],
        )
        world.network.act = world.perform
        tally.histories += 1
        return world

    def perform(self, action: Action, disturbances: Sequence[Disturbance] = ()) -> None:
        """Take a step. Raises BrokenPromise."""
        (self.tally.meanwhile if self._depth else self.tally.steps)[type(action).__name__] += 1
        self._depth += 1
        try:
            with self.network.disturbed(disturbances):
                action.act(self)
        except BrokenPromise as broken:
            if self._depth == 1:
                self.tally.broken[broken.how] += 1
            raise
        finally:
            self._depth -= 1

    @contextmanager
    def request(self) -> Iterator[Plan]:
        """Run a request to a web server, or a consumer's work; raise `NobodyKnows` for an unknown outcome."""
        plan = self.network.plan
        try:
            yield plan
        except ProcessDied as died:
            raise NobodyKnows from died
        except Unavailable as error:
            if plan.faults < 2:
                raise BrokenPromise(Broken.OTHER, "what passes at the second attempt was shown to somebody") from error
            raise NobodyKnows from error

    def noted(self, outcome: str) -> None:
        self.tally.outcomes[outcome] += 1

    def now(self, server: int) -> datetime:
        """Return the time on this web server's clock."""
        return self.time + SKEWS[server % len(SKEWS)]

    def mint(self) -> UUID:
        """Generate an unused message_uuid."""
        self._minted += 1
        return UUID(int=(0xF << 64) + self._minted)

    def tab(self, number: int) -> Tab:
        return self.tabs[number % len(self.tabs)]

    def other_than(self, person: UUID, number: int) -> UUID:
        others = [each for each in self.people if each != person]
        return others[number % len(others)]

    def story(self, one: UUID, other: UUID) -> Story:
        """Return what is known of the conversation of two people, which may not exist yet."""
        group_uuid = pair_group_uuid(one, other)
        if group_uuid not in self.stories:
            self.stories[group_uuid] = Story(frozenset((one, other)), group_uuid)
        return self.stories[group_uuid]

    def settle(self) -> None:
        """Let all that is on its way arrive, and take in the stream."""
        while self.network.late:
            self.network.deliver_late()
        self.log.read()

    def project_all(self) -> None:
        self.log.read()
        project_all(self.table, self.log)
        for story in self.stories.values():
            for reading in story.readings.values():
                reading.may_lack_entry = False
