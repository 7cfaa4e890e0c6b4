"""How the steps of a history are drawn: small numbers, so that what fails can be made short."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from .amending import Delete, Edit
from .faults import Disturbance, Fault
from .intruders import Intrude
from .looks import Around, Newer, Older, Open, ReadList
from .machinery import WAITS, BeginAnew, Block, Consume, Deliver, LateArrives, LoseEntry, Overtaken, Wait
from .people import Burst, MarkRead, Send, SendAgain, SendWithUuidOf, Start
from .world import SKEWS, TEXTS

numbers = st.integers(0, 11)
# The first few more often, so that the same people and messages meet again.
tabs = st.one_of(st.integers(0, 3), numbers)
servers = st.integers(0, len(SKEWS) - 1)
texts = st.integers(0, len(TEXTS) - 1)
backs = st.one_of(st.integers(0, 1), st.integers(0, 6))
forms = st.one_of(st.integers(0, 2), st.integers(0, 40))
consumers = st.integers(0, 1)

starts = st.builds(Start, tab=tabs, other=numbers, text=texts, server=servers)
sends = st.builds(Send, tab=tabs, text=texts, server=servers)
taken = st.builds(SendWithUuidOf, tab=tabs, form=forms, text=texts)
bursts = st.builds(Burst, tab=tabs, count=st.integers(2, 5))
repeats = st.builds(SendAgain, form=forms, server=servers)
changed = st.builds(SendAgain, form=forms, server=servers, text=texts)
readings = st.builds(MarkRead, tab=tabs, back=backs)
edits = st.builds(Edit, tab=tabs, back=backs, text=texts, server=servers)
deletions = st.builds(Delete, tab=tabs, back=backs, server=servers)
openings = st.builds(Open, tab=tabs, other=numbers)
older = st.builds(Older, tab=tabs)
newer = st.builds(Newer, tab=tabs)
around = st.builds(Around, tab=tabs, back=backs)
lists = st.builds(ReadList, person=numbers)
intrusions = st.builds(Intrude, way=numbers, tab=tabs, other=numbers, outsider=numbers)
consumptions = st.builds(Consume, consumer=consumers, count=st.integers(1, 12))
restarts = st.builds(BeginAnew, consumer=consumers, trimmed=st.integers(0, 255))
deliveries = st.builds(Deliver, st.lists(st.integers(0, 63), min_size=1, max_size=8).map(tuple))
arrivals = st.builds(LateArrives, number=numbers)
losses = st.builds(LoseEntry, tab=tabs, other=numbers)
blocks = st.builds(Block, tab=tabs, other=numbers)
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
going_on = weighted((3, waits), (4, arrivals), (1, blocks), (1, losses))

meanwhile = weighted(
    (5, sends), (2, starts), (4, repeats), (2, changed), (3, readings), (3, edits), (2, deletions), (1, openings),
    (3, consumptions), (3, deliveries), (1, restarts), (2, arrivals), (1, losses), (1, blocks), (2, bursts),
)  # fmt: skip
overtaken = weighted(
    (2, st.builds(Overtaken, slow=meanwhile, others=st.lists(meanwhile, min_size=1, max_size=3).map(tuple))),
    # The same person at the same message: the later wish counts.
    (1, st.tuples(edits, edits).map(lambda two: Overtaken(two[0], (replace(two[0], text=two[1].text),)))),
    (1, edits.map(lambda edit: Overtaken(edit, (Delete(edit.tab, edit.back),)))),
)
requests = st.sampled_from((0, 0, 1, 1, 2))
faults = st.builds(Disturbance, at=requests, what=st.sampled_from(Fault), times=st.sampled_from((1, 2, 2, 9)))
disturbances = st.lists(
    weighted((2, faults), (1, st.builds(Disturbance, at=requests, what=meanwhile))), max_size=3
).map(tuple)
