"""How the steps of a history are drawn: small numbers, so that what fails can be made short."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from .amending import Delete, Edit
from .faults import Disturbance, Fault
from .intruders import Intrude
from .looks import Around, Newer, Older, Open, ReadList
from .machinery import WAITS, BeginAnew, Consume, Deliver, LateArrives, LoseEntry, Overtaken, Series, Wait
from .people import Burst, MarkRead, Send, SendAgain, SendWithUuidOf, Start
from .protecting import Accept, Block, Decline
from .world import SKEWS, TEXTS

numbers = st.integers(0, 11)
# The first few more often, so that the same people and messages meet again.
tabs = st.one_of(st.integers(0, 3), numbers)
servers = st.integers(0, len(SKEWS) - 1)
texts = st.integers(0, len(TEXTS) - 1)
backs = st.one_of(st.integers(0, 1), st.integers(0, 6))
forms = st.one_of(st.integers(0, 2), st.integers(0, 40))
consumers = st.integers(0, 1)

starts = st.builds(Start, tab=tabs, other=numbers, text=texts, server=servers, asks=st.booleans())
sends = st.builds(Send, tab=tabs, text=texts, server=servers)
taken = st.builds(SendWithUuidOf, tab=tabs, form=forms, text=texts, anew=st.booleans())
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
intrusions = st.builds(Intrude, way=numbers, tab=tabs, outsider=numbers)
consumptions = st.builds(Consume, consumer=consumers, count=st.integers(1, 12))
restarts = st.builds(BeginAnew, consumer=consumers, trimmed=st.integers(0, 255))
deliveries = st.builds(Deliver, st.lists(st.integers(0, 63), min_size=1, max_size=8).map(tuple))
arrivals = st.builds(LateArrives, number=numbers)
losses = st.builds(LoseEntry, tab=tabs)
blocks = st.builds(Block, tab=tabs)
blocks_of_anyone = st.builds(Block, tab=tabs, other=numbers)
accepts = st.builds(Accept, tab=tabs)
declines = st.builds(Decline, tab=tabs)
waits = st.builds(Wait, wait=st.integers(0, len(WAITS) - 1))


def weighted(*choices: tuple[int, SearchStrategy[Any]]) -> SearchStrategy[Any]:
    """Choose among strategies by weight; `one_of` would drop repeated ones."""
    table = [strategy for weight, strategy in choices for _ in range(weight)]

    def choose(number: int) -> SearchStrategy[Any]:
        return table[number]

    return st.integers(0, len(table) - 1).flatmap(choose)


writing = weighted((4, sends), (2, starts), (1, taken))
repeating = weighted((3, repeats), (1, changed))
amending = weighted((2, edits), (1, deletions))
looking = weighted((2, openings), (1, older), (2, newer), (1, around), (2, lists))
projecting = weighted((3, consumptions), (3, deliveries), (1, restarts))
protecting = weighted((2, blocks), (2, blocks_of_anyone), (3, accepts), (2, declines))
going_on = weighted((3, waits), (4, arrivals), (2, protecting), (1, losses))
anything = weighted(
    (5, writing), (5, repeating), (4, amending), (3, readings), (4, projecting), (2, bursts), (4, going_on)
)

# --- The same people at the same messages, so that they get into each other's way -------------------------------------


def rivals(action: Any) -> SearchStrategy[Any]:
    """Return the concurrent actions that touch the same thing."""
    match action:
        case Send() | Start() | SendAgain():
            # A form is the newest one as soon as it is on its way.
            again = action.form if isinstance(action, SendAgain) else 0
            same = st.just(SendAgain(again))
            other = st.builds(SendAgain, form=st.just(again), text=texts)
            return weighted(
                (3, same), (1, other), (2, sends), (1, bursts), (2, blocks), (1, accepts), (1, declines), (1, readings)
            )
        case Edit() | Delete():
            edit = st.builds(Edit, tab=st.just(action.tab), back=st.just(action.back), text=texts, server=servers)
            return weighted((3, edit), (2, st.just(Delete(action.tab, action.back))), (2, sends), (1, blocks))
        case MarkRead():
            read = st.builds(MarkRead, tab=st.just(action.tab), back=backs)
            return weighted((3, read), (1, sends), (2, projecting), (1, losses))
        case _:
            return weighted((3, projecting), (2, readings), (1, sends), (1, losses))


contested = weighted((3, writing), (2, repeats), (3, amending), (2, readings), (3, projecting))
overtaken = weighted(
    (1, st.builds(Overtaken, slow=anything, others=st.lists(anything, min_size=1, max_size=3).map(tuple))),
    (2, contested.flatmap(lambda slow: rivals(slow).map(lambda rival: Overtaken(slow, (rival,))))),
)
# An entry is lost while one consumer writes it; another consumer creates it again, and its owner sees and reads it.
lost_and_found = st.tuples(
    restarts,
    st.tuples(
        st.builds(Disturbance, st.integers(1, 2), losses),
        st.builds(Disturbance, st.integers(2, 3), st.builds(Series, st.tuples(restarts, readings))),
    ),
)
torn = st.sampled_from((Fault.FIRST_UNPROCESSED, Fault.LAST_UNPROCESSED))
rivalry: SearchStrategy[Any] = contested.flatmap(
    lambda action: st.tuples(
        st.just(action),
        st.one_of(
            # Between two of its calls, and between the two halves of a read.
            st.builds(Disturbance, st.integers(0, 2), rivals(action)).map(lambda rival: (rival,)),
            st.tuples(st.builds(Disturbance, st.just(0), torn), st.builds(Disturbance, st.just(1), rivals(action))),
        ),
    )
)

interrupted = weighted((6, rivalry), (1, lost_and_found))

# --- Bad luck ---------------------------------------------------------------------------------------------------------

requests = st.sampled_from((0, 0, 1, 1, 2))
faults = st.builds(Disturbance, at=requests, what=st.sampled_from(Fault), times=st.sampled_from((1, 2, 2, 9)))
interruptions = st.builds(Disturbance, at=requests, what=anything)
disturbances = st.lists(weighted((2, faults), (1, interruptions)), max_size=3).map(tuple)
