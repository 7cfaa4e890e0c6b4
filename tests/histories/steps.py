"""How the steps of a history are drawn: small numbers, so that what fails can be made short."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from .amending import Delete, Edit
from .faults import Disturbance, Fault
from .intruders import Intrude
from .looks import Around, Newer, Older, Open, ReadList
from .machinery import WAITS, BeginAnew, Block, Consume, Deliver, LateArrives, LoseEntry, Wait
from .people import Burst, MarkRead, Send, SendAgain, SendWithUuidOf, Start
from .world import SKEWS, TEXTS

numbers = st.integers(0, 11)
servers = st.integers(0, len(SKEWS) - 1)
texts = st.integers(0, len(TEXTS) - 1)
backs = st.integers(0, 6)
forms = st.one_of(st.integers(0, 2), st.integers(0, 40))
consumers = st.integers(0, 1)

starts = st.builds(Start, tab=numbers, other=numbers, text=texts, server=servers)
sends = st.builds(Send, tab=numbers, text=texts, server=servers)
taken = st.builds(SendWithUuidOf, tab=numbers, form=forms, text=texts)
bursts = st.builds(Burst, tab=numbers, count=st.integers(2, 5))
repeats = st.builds(SendAgain, form=forms, server=servers)
changed = st.builds(SendAgain, form=forms, server=servers, text=texts)
readings = st.builds(MarkRead, tab=numbers, back=backs)
edits = st.builds(Edit, tab=numbers, back=backs, text=texts, server=servers)
deletions = st.builds(Delete, tab=numbers, back=backs, server=servers)
openings = st.builds(Open, tab=numbers, other=numbers)
older = st.builds(Older, tab=numbers)
newer = st.builds(Newer, tab=numbers)
around = st.builds(Around, tab=numbers, back=backs)
lists = st.builds(ReadList, person=numbers)
intrusions = st.builds(Intrude, way=numbers, tab=numbers, other=numbers, outsider=numbers)
consumptions = st.builds(Consume, consumer=consumers, count=st.integers(1, 12))
restarts = st.builds(BeginAnew, consumer=consumers, trimmed=st.integers(0, 255))
deliveries = st.builds(Deliver, st.lists(st.integers(0, 63), min_size=1, max_size=8).map(tuple))
arrivals = st.builds(LateArrives, number=numbers)
losses = st.builds(LoseEntry, tab=numbers, other=numbers)
blocks = st.builds(Block, tab=numbers, other=numbers)
waits = st.builds(Wait, wait=st.integers(0, len(WAITS) - 1))


def weighted(*choices: tuple[int, SearchStrategy[Any]]) -> SearchStrategy[Any]:
    """One of the strategies, each as often as its weight says; `one_of` would drop what is named twice."""
    table = [strategy for weight, strategy in choices for _ in range(weight)]
    return st.integers(0, len(table) - 1).flatmap(table.__getitem__)


writing = weighted((4, sends), (2, starts), (1, taken))
repeating = weighted((3, repeats), (1, changed))
amending = weighted((2, edits), (1, deletions))
looking = weighted((2, openings), (1, older), (2, newer), (1, around), (2, lists), (1, intrusions))
projecting = weighted((3, consumptions), (3, deliveries), (1, restarts))
going_on = weighted((4, waits), (3, arrivals), (1, blocks), (1, losses))

meanwhile = weighted(
    (5, sends), (2, starts), (4, repeats), (2, changed), (3, readings), (3, edits), (2, deletions), (1, openings),
    (3, consumptions), (3, deliveries), (1, restarts), (2, arrivals), (1, losses), (1, blocks), (2, bursts),
)  # fmt: skip
requests = st.sampled_from((0, 1, 1, 2, 3))
faults = st.builds(Disturbance, at=requests, what=st.sampled_from(Fault), times=st.sampled_from((1, 2, 2, 9)))
disturbances = st.lists(
    weighted((2, faults), (1, st.builds(Disturbance, at=requests, what=meanwhile))), max_size=3
).map(tuple)
