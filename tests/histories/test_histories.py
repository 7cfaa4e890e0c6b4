"""Random histories: whatever people, networks, clocks and consumers do, no promise is broken.

HISTORIES_STEPS says how many steps are tried, HISTORIES_SEED which ones. A history that fails is made as short as
possible and printed as the steps that lead there; HISTORIES_NO_SHRINK leaves it as it was found.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from itertools import count
from math import ceil
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.configuration import set_hypothesis_home_dir
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from messaging.dynamodb.table import MessageTable
from messaging.queries import conversations

from . import steps
from .faults import Disturbance
from .people import Burst
from .promises import check
from .stream import deliver
from .tally import Tally
from .world import World

STEPS = int(os.environ.get("HISTORIES_STEPS", "1000"))
SEED = int(os.environ.get("HISTORIES_SEED", "1"))
SHRINK = "HISTORIES_NO_SHRINK" not in os.environ
STEPS_A_HISTORY = 50
STEPS_A_TEST = 5000
"""hypothesis remembers what it has tried; the memory of more steps is given back between tests."""
SEEDS_A_TEST = 100
TABS = 3
"""Of each person."""
PAGE_SIZE = 3
"""Instead of 20, so that short conversations have several pages."""


class Histories(RuleBasedStateMachine):
    """A history: its rules are the kinds of steps."""

    table: MessageTable
    tally: Tally
    world: World | None = None
    chance: random.Random
    whole = True
    """Whether nothing was found broken."""

    @initialize(size=st.integers(2, 5), chance=st.integers(0, 2**16), first=st.lists(steps.bursts, max_size=4))
    def begin(self, size: int, chance: int, first: list[Burst]) -> None:
        self.world = World.new(self.table, self.tally, people=size, tabs=TABS)
        self.chance = random.Random(chance)
        for burst in first:
            self.step(burst)

    def step(self, action: Any, disturbances: tuple[Disturbance, ...] = ()) -> None:
        assert self.world
        self.whole = False
        with self.world.network.attached():
            self.world.perform(action, disturbances)
        self.whole = True

    @rule(action=steps.writing, disturbances=steps.disturbances)
    def write(self, action: Any, disturbances: tuple[Disturbance, ...]) -> None:
        self.step(action, disturbances)

    @rule(action=steps.bursts)
    def write_several(self, action: Any) -> None:
        self.step(action)

    @rule(action=steps.repeating, disturbances=steps.disturbances)
    def send_again(self, action: Any, disturbances: tuple[Disturbance, ...]) -> None:
        self.step(action, disturbances)

    @rule(action=steps.amending, disturbances=steps.disturbances)
    def amend(self, action: Any, disturbances: tuple[Disturbance, ...]) -> None:
        self.step(action, disturbances)

    @rule(action=steps.readings, disturbances=steps.disturbances)
    def mark_read(self, action: Any, disturbances: tuple[Disturbance, ...]) -> None:
        self.step(action, disturbances)

    @rule(action=steps.protecting)
    def protect(self, action: Any) -> None:
        self.step(action)

    @rule(action=steps.looking, disturbances=steps.disturbances)
    def look(self, action: Any, disturbances: tuple[Disturbance, ...]) -> None:
        self.step(action, disturbances)

    @rule(action=steps.intrusions, disturbances=steps.disturbances)
    def intrude(self, action: Any, disturbances: tuple[Disturbance, ...]) -> None:
        self.step(action, disturbances)

    @rule(action=steps.projecting, disturbances=steps.disturbances)
    def project(self, action: Any, disturbances: tuple[Disturbance, ...]) -> None:
        self.step(action, disturbances)

    @rule(interrupted=steps.interrupted)
    def be_interrupted(self, interrupted: tuple[Any, tuple[Disturbance, ...]]) -> None:
        self.step(*interrupted)

    @rule(action=steps.overtaken)
    def be_overtaken(self, action: Any) -> None:
        self.step(action)

    @rule(action=steps.going_on)
    def go_on(self, action: Any) -> None:
        self.step(action)

    def teardown(self) -> None:
        if self.world and self.whole:
            self.drain(self.world)
            check(self.world)

    def drain(self, world: World) -> None:
        """Let all that is on its way arrive, and every record be delivered: by itself, or by a full projection."""
        world.settle()
        if self.chance.random() < 0.3:
            world.project_all()
            return
        waiting = world.log.undelivered
        self.chance.shuffle(waiting)
        while waiting:
            size = self.chance.randint(1, 20)
            deliver(world.table, world.log, waiting[:size])
            del waiting[:size]


def try_histories(
    table: MessageTable, tally: Tally, *, seed: int, histories: int, kind: type[Histories] = Histories
) -> None:
    """Try so many histories, the same ones for a seed. Raises BrokenPromise, with the shortest history it finds."""

    class Run(kind):  # type: ignore[misc, valid-type]
        pass

    Run.table, Run.tally = table, tally
    profile = settings(
        max_examples=histories,
        stateful_step_count=STEPS_A_HISTORY + 1,
        deadline=None,
        database=None,
        phases=(Phase.generate, Phase.shrink) if SHRINK else (Phase.generate,),
        report_multiple_bugs=False,
        print_blob=False,
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(hypothesis.seed(seed)(Run), settings=profile)


@pytest.mark.parametrize("first_seed", range(SEED, SEED + ceil(STEPS / STEPS_A_TEST) * SEEDS_A_TEST, SEEDS_A_TEST))
def test_no_history_breaks_a_promise(
    patient_table: MessageTable,
    monkeypatch: pytest.MonkeyPatch,
    record_property: Callable[[str, object], None],
    tmp_path: Path,
    first_seed: int,
) -> None:
    set_hypothesis_home_dir(tmp_path)
    monkeypatch.setattr(conversations, "PAGE_SIZE", PAGE_SIZE)
    tally = Tally()
    try:
        for again in count():
            if (missing := min(STEPS, STEPS_A_TEST) - tally.steps.total()) <= 0:
                break
            try_histories(patient_table, tally, seed=first_seed + again, histories=ceil(missing / STEPS_A_HISTORY))
    finally:
        record_property("histories", tally.counts())
