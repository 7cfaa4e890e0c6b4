"""Serve the people who write into one conversation one at a time, in a fair order.

Every write requires that the conversation is as it was read, so people who write at the same time make each other's
writes fail. In each web process they therefore queue. The queue only avoids conflicts: the conditions in the database
decide, and a writer that does not queue (a command, another process) breaks nothing.

- **Order.** One writer at a time has the turn. A person's requests are served in the order in which they arrived, and
  people take turns in the order in which they arrived: somebody with twenty open tabs delays another member by one
  message, not by twenty.
- **Who may queue.** Only a member, and only after the session and the conversation were read. An outsider's request is
  answered without entering the queue, so it delays nobody and its sender learns nothing.
- **Waiting** happens in the event loop, for at most SEND_QUEUE_SECONDS. A request that has to wait gives back its
  thread, its database connection and its place in `cruddur.web.concurrency_limit`, and is handled again from the
  start when its turn has come. Nothing was written before that and no token of messages was taken.
- **Costs.** A request that need not wait costs nothing more. While a conversation is busy, the queue remembers which
  session of which member sends to which address; such requests wait before they are handled for the first time. The
  first request of each session to a busy conversation is handled twice: one read of the conversation and the SQL
  statements of session and user more.
- **Memory.** A conversation that nobody writes into is not kept.

Code outside `SendQueue` (commands, the test client, WSGI) does not queue and relies on the conditions.
"""

from __future__ import annotations

import asyncio
import hashlib
from asyncio import AbstractEventLoop
from collections import OrderedDict, deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass, field
from enum import Enum, auto
from threading import Lock
from uuid import UUID

from django.conf import settings
from django.http import parse_cookie

from cruddur.asgi_types import Application, Message, Receive, Scope, Send
from cruddur.observability import metrics

Sender = tuple[str, str]
"""The address that is posted to, and a fingerprint of the session."""

RETRY_AFTER = 1
"""Seconds after which a sender who waited in vain should try again."""
WAITING_A_PERSON = 64
"""Requests of one person that wait in one conversation; further ones are refused at once."""
SENDERS_REMEMBERED = 256
"""Addresses and sessions that a busy conversation remembers; the oldest are forgotten."""


class MustWait(Exception):
    """It is somebody else's turn. `SendQueue` handles the request again when its turn has come."""


class ConversationBusy(Exception):
    """The turn did not come in time. `retry_after`: seconds."""

    retry_after = RETRY_AFTER


class _State(Enum):
    OUTSIDE = auto()
    """Not in a queue: before it joins, and after its turn."""
    WAITING = auto()
    GRANTED = auto()
    """Its turn has come; the code that writes has not taken it up yet."""
    USED = auto()
    """The code that writes has the turn and gives it back, also when the request was cancelled meanwhile."""


@dataclass(eq=False, slots=True)
class Visit:
    """A request on its way through the site, however often it is handled. `Lines` alone changes its state."""

    sender: Sender | None
    loop: AbstractEventLoop
    turn_has_come: asyncio.Event = field(default_factory=asyncio.Event)
    state: _State = _State.OUTSIDE
    group_uuid: UUID | None = None
    person: UUID | None = None
    must_wait: bool = False
    """Whether the request cannot be answered before its turn has come."""
    waited_in_vain: bool = False
    """Whether it waits no more: it gets the turn at once or is refused."""
    has_ended: bool = False
    """Whether its client has its answer or has gone."""


@dataclass(eq=False, slots=True)
class _Line:
    """The queue of one conversation."""

    holder: Visit
    waiting: OrderedDict[UUID, deque[Visit]] = field(default_factory=OrderedDict)
    """Requests by person, both in the order in which they are served."""
    senders: OrderedDict[Sender, None] = field(default_factory=OrderedDict)


class Lines:
    """The queues of one web process. The methods may be called from any thread and never block."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._lines: dict[UUID, _Line] = {}
        self._senders: dict[Sender, tuple[UUID, UUID]] = {}
        """The conversation and the person, of senders that were let in while the conversation was busy."""

    def join_if_known(self, visit: Visit) -> None:
        """Let a request wait before it is handled, if its sender was let in and the conversation is busy since."""
        with self._lock:
            known = self._senders.get(visit.sender) if visit.sender else None
            if known and not self._join(visit, *known):
                visit.waited_in_vain = True

    def take(self, visit: Visit, group_uuid: UUID, person: UUID) -> None:
        """Take up the turn of a member. Raises MustWait, with a place in the queue taken, and ConversationBusy."""
        with self._lock:
            if visit.state is _State.USED:
                # The two would wait for each other.
                msg = "a request has one turn at a time"
                raise RuntimeError(msg)
            if (visit.group_uuid, visit.person) != (group_uuid, person):
                # The session is another person's by now, or the address leads to another conversation.
                self._leave(visit)
            if visit.state is _State.OUTSIDE and not self._join(visit, group_uuid, person):
                raise ConversationBusy
            if visit.state is _State.WAITING:
                raise MustWait
            visit.state = _State.USED

    def give_back(self, visit: Visit) -> None:
        """End the turn that `take` gave."""
        with self._lock:
            self._leave(visit)

    def give_up(self, visit: Visit) -> None:
        """End the waiting of a request whose time is up, unless its turn has come."""
        with self._lock:
            if visit.state is _State.WAITING:
                self._leave(visit)
                visit.waited_in_vain = True

    def end(self, visit: Visit) -> None:
        """Forget a request that was answered or whose client has gone, but for a turn that a thread still uses."""
        with self._lock:
            visit.has_ended = True
            if visit.state is not _State.USED:
                self._leave(visit)

    def _join(self, visit: Visit, group_uuid: UUID, person: UUID) -> bool:
        """Give the visit the turn or a place in the queue; False when it gets neither."""
        line = self._lines.get(group_uuid)
        if line is None:
            line = self._lines[group_uuid] = _Line(visit)
            visit.state = _State.GRANTED
        else:
            if visit.waited_in_vain or visit.has_ended or len(line.waiting.get(person, ())) >= WAITING_A_PERSON:
                return False
            line.waiting.setdefault(person, deque()).append(visit)
            visit.state, visit.must_wait, visit.turn_has_come = _State.WAITING, True, asyncio.Event()
        visit.group_uuid, visit.person = group_uuid, person
        if visit.sender:
            line.senders[visit.sender] = None
            self._senders[visit.sender] = (group_uuid, person)
            if len(line.senders) > SENDERS_REMEMBERED:
                self._senders.pop(line.senders.popitem(last=False)[0], None)
        return True

    def _leave(self, visit: Visit) -> None:
        """Take the visit out of its queue, and give the turn to the next if it had it."""
        state, visit.state = visit.state, _State.OUTSIDE
        if state is _State.OUTSIDE or visit.group_uuid is None or visit.person is None:
            return
        line = self._lines[visit.group_uuid]
        if state is _State.WAITING:
            own = line.waiting[visit.person]
            own.remove(visit)
            if not own:
                del line.waiting[visit.person]
            return
        while line.waiting:
            line.holder = _next_of(line)
            line.holder.state = _State.GRANTED
            with suppress(RuntimeError):  # its event loop has ended
                # The event of this very wait: a late call must not end a later one.
                line.holder.loop.call_soon_threadsafe(line.holder.turn_has_come.set)
                return
            line.holder.state = _State.OUTSIDE
        for sender in line.senders:
            self._senders.pop(sender, None)
        del self._lines[visit.group_uuid]


def _next_of(line: _Line) -> Visit:
    """Take the next out of those who wait; its person's other requests go to the end."""
    person, own = next(iter(line.waiting.items()))
    visit = own.popleft()
    if own:
        line.waiting.move_to_end(person)
    else:
        del line.waiting[person]
    return visit


_current: ContextVar[tuple[Lines, Visit] | None] = ContextVar("send_queue", default=None)


@contextmanager
def turn(*, group_uuid: UUID, user_uuid: UUID) -> Iterator[None]:
    """Hold the conversation's turn within the block, for a member who is about to write into it.

    Enter it after membership was checked and before anything is written or a token of messages is taken: the request is
    handled again from the start when it has to wait. Does nothing outside a web process.
    Raises MustWait, which is `SendQueue`'s to catch, and ConversationBusy.
    """
    if (current := _current.get()) is None:
        yield
        return
    lines, visit = current
    lines.take(visit, group_uuid, user_uuid)
    try:
        yield
    finally:
        lines.give_back(visit)


class SendQueue:
    """The ASGI application around the site that lets posted requests wait for their turn."""

    def __init__(self, application: Application) -> None:
        self._application = application
        self.lines = Lines()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "POST" or settings.SEND_QUEUE_SECONDS <= 0:
            await self._application(scope, receive, send)
            return
        client = _Client(receive)
        # A body that arrives slowly must not hold the turn.
        if not await client.has_sent_everything():
            return
        visit = Visit(_sender_of(scope), asyncio.get_running_loop())
        before = _current.set((self.lines, visit))
        try:
            await self._serve(visit, client, scope, send)
        finally:
            _current.reset(before)
            self.lines.end(visit)

    async def _serve(self, visit: Visit, client: _Client, scope: Scope, send: Send) -> None:
        """Handle the request until it is answered: again after each wait."""

        async def answer(message: Message) -> None:
            if not visit.must_wait:
                # A client that reads its answer slowly must not hold the turn.
                self.lines.end(visit)
                await send(message)

        deadline = visit.loop.time() + settings.SEND_QUEUE_SECONDS
        self.lines.join_if_known(visit)
        while True:
            if visit.must_wait:
                began = visit.loop.time()
                await _wait(visit, client, deadline)
                if client.gone:
                    return
                self.lines.give_up(visit)
                outcome = "refused" if visit.waited_in_vain else "served"
                metrics.record(metrics.SEND_QUEUE_TIME, visit.loop.time() - began, outcome=outcome)
            visit.must_wait = False
            await self._application(scope, client.receive_again(), answer)
            if not visit.must_wait:
                return


async def _wait(visit: Visit, client: _Client, deadline: float) -> None:
    """Return when the turn has come, the client has gone, or the deadline (on the loop's clock) has passed."""
    tasks = [asyncio.ensure_future(each) for each in (visit.turn_has_come.wait(), client.has_gone())]
    try:
        seconds = max(0.0, deadline - visit.loop.time())
        await asyncio.wait(tasks, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


class _Client:
    """The client's side of a request: its body, kept so that the request can be handled twice."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._body = b""
        self.gone = False

    async def has_sent_everything(self) -> bool:
        """Read the body, of BODY_MAX_BYTES at most; False when the client has gone before its end."""
        parts = []
        while True:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                return False
            parts.append(message.get("body", b""))
            if not message.get("more_body"):
                self._body = b"".join(parts)
                return True

    async def has_gone(self) -> None:
        """Return when the client has disconnected."""
        while not self.gone:
            self.gone = (await self._receive())["type"] == "http.disconnect"

    def receive_again(self) -> Receive:
        """Return a `receive` that begins with the body."""
        body: list[Message] = [{"type": "http.request", "body": self._body, "more_body": False}]

        async def receive() -> Message:
            if body:
                return body.pop()
            await self.has_gone()
            return {"type": "http.disconnect"}

        return receive


def _sender_of(scope: Scope) -> Sender | None:
    """Return path and hash of the session's key; None without a session. The key itself is not kept."""
    cookies = b"; ".join(value for name, value in scope["headers"] if name == b"cookie")
    session = parse_cookie(cookies.decode("latin1")).get(settings.SESSION_COOKIE_NAME)
    return (scope["path"], hashlib.sha256(session.encode()).hexdigest()) if session else None
