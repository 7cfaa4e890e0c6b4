"""People who write into one conversation are served in turn: in a fair order, for a bounded time, without threads."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.conf import settings
from pytest_django.fixtures import Settings

from cruddur.observability import metrics
from cruddur.web.concurrency_limit import ConcurrencyLimit
from messaging.actions import send_queue
from messaging.actions.send_queue import ConversationBusy, MustWait, SendQueue, turn
from tests.messaging.talk import ANDREW, BAYKO, GROUP, LONDO
from tests.own_thread import run

from .queue_lines import is_idle, waiting_in

OTHER_GROUP = UUID(int=99)
GONE = {"type": "http.disconnect"}


class Clock(asyncio.SelectorEventLoop):
    """An event loop whose time passes when the test says so."""

    now = 1000.0

    def time(self) -> float:
        return self.now


def run_on_clock(scene: Callable[[Clock], Coroutine[Any, Any, None]]) -> None:
    """Run the scene on a loop whose clock stands still."""

    async def within() -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, Clock)
        await scene(loop)

    def start() -> None:
        with asyncio.Runner(loop_factory=Clock) as runner:
            runner.run(within())

    async def in_thread() -> None:
        await asyncio.to_thread(start)

    run(in_thread())


async def settled() -> None:
    """Let everything get as far as it gets by itself."""
    for _ in range(50):
        await asyncio.sleep(0)


@dataclass
class Post:
    """A request that somebody posts, and what came of it."""

    name: str
    person: UUID = ANDREW
    group: UUID = GROUP
    session: str = ""
    path: str = "/messages/x"
    outsider: bool = False
    breaks: bool = False
    handled: int = 0
    """How often the site began to handle it."""
    answer: list[Any] = field(default_factory=list)
    gone: asyncio.Event = field(default_factory=asyncio.Event)
    task: asyncio.Task[None] | None = None

    @property
    def status(self) -> int | None:
        return self.answer[0]["status"] if self.answer else None


class Site:
    """A site that writes for one request after another, each until the test lets it end."""

    def __init__(self) -> None:
        self.queue = SendQueue(self.handle)
        self.posts: dict[str, Post] = {}
        self.writing: list[str] = []
        self.written: list[str] = []
        self.most_at_once = 0
        self.tokens = 0
        self.may_end: dict[str, asyncio.Event] = {}

    async def handle(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer as Django does: read the body, check who it is, write in turn."""
        post = self.posts[scope["name"]]
        assert (await receive())["body"] == post.name.encode()
        post.handled += 1
        try:
            if not post.outsider:
                await self.write(post)
        except MustWait:
            await self.respond(send, 202)
        except ConversationBusy:
            await self.respond(send, 429)
        else:
            await self.respond(send, 404 if post.outsider else 201)

    async def write(self, post: Post) -> None:
        with turn(group_uuid=post.group, user_uuid=post.person):
            self.tokens += 1
            self.writing.append(post.name)
            self.most_at_once = max(self.most_at_once, len(self.writing))
            try:
                await self.may_end.setdefault(post.name, asyncio.Event()).wait()
                if post.breaks:
                    raise ValueError(post.name)
                self.written.append(post.name)
            finally:
                self.writing.remove(post.name)

    async def respond(self, send: Any, status: int) -> None:
        await send({"type": "http.response.start", "status": status, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    async def post(self, name: str, person: UUID = ANDREW, **how: Any) -> Post:
        """Let a request come, and go as far as it goes."""
        post = self.posts[name] = Post(name, person, **how)
        session = post.session or str(post.person)
        parts = [{"type": "http.request", "body": name.encode(), "more_body": False}]

        async def receive() -> Any:
            if parts:
                return parts.pop()
            await post.gone.wait()
            return GONE

        async def send(message: Any) -> None:
            post.answer.append(message)

        scope = {
            "type": "http",
            "method": "POST",
            "path": post.path,
            "name": name,
            "headers": [(b"cookie", f"a=b; {settings.SESSION_COOKIE_NAME}={session}".encode())],
        }
        post.task = asyncio.ensure_future(self.queue(scope, receive, send))
        await settled()
        return post

    async def end(self, *names: str) -> None:
        """Let these writes end, one after the other."""
        for name in names:
            assert self.writing == [name]
            self.may_end[name].set()
            await settled()

    @property
    def is_idle(self) -> bool:
        return is_idle(self.queue.lines)


# --- The order --------------------------------------------------------------------------------------------------------


def test_requests_of_a_person_are_served_in_the_order_of_arrival() -> None:
    async def scene(_: Clock) -> None:
        site = Site()
        for name in "abcde":
            await site.post(name)
        assert site.writing == ["a"]

        await site.end(*"abcde")

        assert site.written == list("abcde")
        assert site.most_at_once == 1
        assert {post.status for post in site.posts.values()} == {201}

    run_on_clock(scene)


def test_people_are_served_in_the_order_of_arrival() -> None:
    async def scene(_: Clock) -> None:
        site, people = Site(), [UUID(int=number) for number in range(1, 33)]
        for number, person in enumerate(people):
            await site.post(str(number), person)

        for number in range(len(people)):
            await site.end(str(number))

        assert site.written == [str(number) for number in range(len(people))]
        assert site.most_at_once == 1

    run_on_clock(scene)


def test_many_tabs_of_one_person_delay_another_by_one_message() -> None:
    async def scene(_: Clock) -> None:
        site = Site()
        for name in ("a1", "a2", "a3", "a4"):
            await site.post(name)
        await site.post("b1", BAYKO)
        await site.post("b2", BAYKO)
        await site.post("c1", LONDO)

        for _turn in range(7):
            await site.end(*site.writing)

        assert site.written == ["a1", "a2", "b1", "c1", "a3", "b2", "a4"]

    run_on_clock(scene)


def test_conversations_do_not_wait_for_each_other() -> None:
    async def scene(_: Clock) -> None:
        site = Site()
        await site.post("here")
        await site.post("there", group=OTHER_GROUP, path="/messages/y")

        assert site.writing == ["here", "there"]

    run_on_clock(scene)


def test_a_slow_reader_of_an_answer_holds_no_turn() -> None:
    """As a member who posts a form with a mistake, whose turn comes, and who then reads nothing of a long page."""

    async def scene(_: Clock) -> None:
        site, reads = Site(), asyncio.Event()
        await site.post("first")
        slow = await site.post("slow", BAYKO)
        waiting = await site.post("waiting", LONDO)
        handle = site.handle

        async def mistaken(scope: Any, receive: Any, send: Any) -> None:
            if scope["name"] != "slow":
                await handle(scope, receive, send)
                return
            await send({"type": "http.response.start", "status": 422})
            await reads.wait()
            await send({"type": "http.response.body", "body": b""})

        site.queue._application = mistaken
        await site.end("first", "waiting")

        assert waiting.status == 201
        assert slow.status == 422
        reads.set()
        await settled()
        assert site.is_idle

    run_on_clock(scene)


# --- Waiting ----------------------------------------------------------------------------------------------------------


def test_a_wait_ends_after_the_time_that_the_setting_gives() -> None:
    async def scene(clock: Clock) -> None:
        site = Site()
        await site.post("first")
        waiting = await site.post("second")

        clock.now += settings.SEND_QUEUE_SECONDS - 0.01
        await settled()
        assert waiting.status is None

        clock.now += 0.02
        await settled()
        assert waiting.status == 429
        assert site.tokens == 1  # The refused request took none.

        await site.end("first")
        assert site.written == ["first"]
        assert site.is_idle

    run_on_clock(scene)


def test_a_request_that_waited_twice_waits_no_longer_than_one_that_waited_once() -> None:
    async def scene(clock: Clock) -> None:
        site = Site()
        await site.post("first")
        await site.post("elsewhere", BAYKO, group=OTHER_GROUP, path="/messages/y")
        moving = await site.post("moving")
        clock.now += 1.5
        # By its turn the address leads to another conversation, where somebody writes, too.
        moving.group = OTHER_GROUP
        site.may_end["first"].set()
        await settled()
        assert (moving.status, moving.handled) == (None, 1)

        clock.now += settings.SEND_QUEUE_SECONDS - 1.5 + 0.01
        await settled()
        assert moving.status == 429

    run_on_clock(scene)


def test_a_request_whose_turn_came_at_the_last_moment_is_served() -> None:
    async def scene(clock: Clock) -> None:
        site = Site()
        await site.post("first")
        waiting = await site.post("second")
        site.may_end["first"].set()
        # The deadline passes in the same pass of the loop in which the turn is given.
        clock.now += settings.SEND_QUEUE_SECONDS
        await settled()
        if waiting.status is None:
            await site.end("second")

        assert waiting.status == 201
        assert site.is_idle

    run_on_clock(scene)


def test_a_request_that_may_not_wait_is_served_when_the_turn_is_free() -> None:
    async def scene(clock: Clock) -> None:
        site = Site()
        await site.post("first")
        waiting = await site.post("second")
        gate = asyncio.Event()
        handle = site.handle

        async def late(scope: Any, receive: Any, send: Any) -> None:
            await gate.wait()
            await handle(scope, receive, send)

        site.queue._application = late
        clock.now += settings.SEND_QUEUE_SECONDS + 1
        await settled()
        await site.end("first")
        gate.set()
        await settled()
        await site.end("second")

        assert waiting.status == 201

    run_on_clock(scene)


def test_more_requests_of_a_person_than_a_line_holds_are_refused_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(send_queue, "WAITING_A_PERSON", 3)

    async def scene(_: Clock) -> None:
        site = Site()
        for name in "abcdef":
            await site.post(name)
        await site.post("other", BAYKO)

        assert [site.posts[name].status for name in "abcdef"] == [None, None, None, None, 429, 429]
        assert site.posts["other"].status is None

    run_on_clock(scene)


def test_without_seconds_to_wait_nobody_queues(settings: Settings) -> None:
    settings.SEND_QUEUE_SECONDS = 0

    async def scene(_: Clock) -> None:
        site = Site()
        for name in "abc":
            await site.post(name)

        assert site.writing == ["a", "b", "c"]

    run_on_clock(scene)


@pytest.mark.parametrize(("method", "kind"), [("GET", "http"), ("POST", "lifespan")])
def test_get_requests_bypass_the_queue(method: str, kind: str) -> None:
    seen: list[Any] = []

    async def inner(*call: Any) -> None:
        seen.append(call)

    call = ({"type": kind, "method": method}, object(), object())
    asyncio.run(SendQueue(inner)(*call))  # type: ignore[arg-type]

    assert seen == [call]


def test_code_outside_a_web_process_has_no_queue() -> None:
    with turn(group_uuid=GROUP, user_uuid=ANDREW), turn(group_uuid=GROUP, user_uuid=BAYKO):
        pass


# --- How often a request is handled -----------------------------------------------------------------------------------


def test_a_request_that_need_not_wait_is_handled_once() -> None:
    async def scene(_: Clock) -> None:
        site = Site()
        await site.post("a")
        await site.end("a")
        await site.post("b")
        await site.end("b")

        assert (site.posts["a"].handled, site.posts["b"].handled) == (1, 1)

    run_on_clock(scene)


def test_a_session_that_was_let_in_waits_before_it_is_handled_while_the_conversation_is_busy() -> None:
    async def scene(_: Clock) -> None:
        site = Site()
        await site.post("a1")
        first = await site.post("b1", BAYKO)
        again = await site.post("b2", BAYKO)
        elsewhere = await site.post("b3", BAYKO, session="of another device")
        assert (first.handled, again.handled, elsewhere.handled) == (1, 0, 1)

        await site.end("a1", "b1", "b2", "b3")
        assert (first.handled, again.handled, elsewhere.handled) == (2, 1, 2)

        # Once the conversation was quiet, it is as if nobody had written.
        assert site.is_idle

    run_on_clock(scene)


def test_a_busy_conversation_remembers_a_limited_number_of_senders(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(send_queue, "SENDERS_REMEMBERED", 2)

    async def scene(_: Clock) -> None:
        site = Site()
        for number in range(4):
            await site.post(str(number), session=f"session {number}")
        assert len(site.queue.lines._senders) == 2
        for number in range(4):
            await site.end(str(number))
        assert site.is_idle

    run_on_clock(scene)


def test_a_session_of_another_person_by_now_waits_for_its_own_turn() -> None:
    async def scene(_: Clock) -> None:
        site = Site()
        await site.post("a1", session="shared")
        moved = await site.post("a2", session="shared")
        await site.post("b1", BAYKO)
        moved.person = LONDO
        await site.end("a1")
        assert site.writing == ["b1"]

        await site.end("b1", "a2")
        assert moved.status == 201
        assert site.is_idle

    run_on_clock(scene)


# --- Outsiders --------------------------------------------------------------------------------------------------------


def test_an_outsider_neither_waits_nor_delays_a_member() -> None:
    async def scene(_: Clock) -> None:
        site = Site()
        await site.post("member")
        for number in range(20):
            stranger = await site.post(f"stranger {number}", LONDO, outsider=True)
            assert (stranger.status, stranger.handled) == (404, 1)
        await site.post("other member", BAYKO)
        assert waiting_in(site.queue.lines, GROUP) == 1

        await site.end("member", "other member")
        assert site.written == ["member", "other member"]

    run_on_clock(scene)


def test_an_outsider_s_answer_does_not_tell_whether_somebody_writes() -> None:
    async def scene(_: Clock) -> None:
        site = Site()
        quiet = await site.post("quiet", LONDO, outsider=True)
        await site.post("member")
        busy = await site.post("busy", LONDO, outsider=True)

        assert quiet.answer == busy.answer
        assert quiet.handled == busy.handled == 1

    run_on_clock(scene)


# --- The turn is given back on every path -----------------------------------------------------------------------------


@contextmanager
def nothing_is_left(site: Site) -> Iterator[None]:
    """Assert that whoever comes after the block gets the turn."""
    yield
    assert site.is_idle


async def fail(site: Site, post: Post) -> None:
    post.breaks = True
    site.may_end[post.name].set()
    await settled()


async def cancel(_: Site, post: Post) -> None:
    assert post.task
    post.task.cancel()
    await settled()


async def disconnect(_: Site, post: Post) -> None:
    post.gone.set()
    await settled()


@pytest.mark.parametrize("how", [fail, cancel])
def test_a_write_that_ends_without_an_answer_gives_the_turn_to_the_next(
    how: Callable[[Site, Post], Awaitable[None]],
) -> None:
    async def scene(_: Clock) -> None:
        site = Site()
        first = await site.post("first")
        await site.post("second", BAYKO)
        with nothing_is_left(site):
            await how(site, first)
            assert first.task
            await asyncio.gather(first.task, return_exceptions=True)
            await site.end("second")
        assert site.written == ["second"]

    run_on_clock(scene)


@pytest.mark.parametrize("how", [cancel, disconnect])
@pytest.mark.parametrize("known", [True, False])
def test_a_request_whose_client_has_gone_leaves_the_queue(
    how: Callable[[Site, Post], Awaitable[None]], *, known: bool
) -> None:
    async def scene(_: Clock) -> None:
        site = Site()
        await site.post("first", session="one")
        leaving = await site.post("leaving", session="one" if known else "two")
        await site.post("last", BAYKO)
        assert waiting_in(site.queue.lines, GROUP) == 2

        with nothing_is_left(site):
            await how(site, leaving)
            assert waiting_in(site.queue.lines, GROUP) == 1
            await site.end("first", "last")
        assert site.written == ["first", "last"]
        assert leaving.answer == []

    run_on_clock(scene)


def test_a_turn_that_came_to_a_client_that_went_at_the_same_moment_goes_on() -> None:
    async def scene(_: Clock) -> None:
        site = Site()
        await site.post("first")
        leaving = await site.post("leaving")
        await site.post("last", BAYKO)
        leaving.gone.set()
        site.may_end["first"].set()
        await settled()
        await site.end("last")

        assert site.written == ["first", "last"]
        assert site.is_idle

    run_on_clock(scene)


def test_a_request_that_ends_without_taking_up_its_turn_gives_it_to_the_next() -> None:
    async def scene(_: Clock) -> None:
        site = Site()
        await site.post("first")
        changed = await site.post("changed")
        await site.post("last", BAYKO)
        changed.outsider = True  # As when a session ends meanwhile.
        await site.end("first", "last")

        assert (changed.status, site.written) == (404, ["first", "last"])
        assert site.is_idle

    run_on_clock(scene)


def test_a_thread_that_writes_on_after_its_client_has_gone_keeps_the_turn_until_it_has_written() -> None:
    async def scene(_: Clock) -> None:
        writes, wrote = asyncio.Event(), asyncio.Event()

        async def in_thread() -> None:
            with turn(group_uuid=GROUP, user_uuid=ANDREW):
                await writes.wait()
            wrote.set()

        going: list[asyncio.Task[None]] = []

        async def inner(scope: Any, receive: Any, send: Any) -> None:
            if not going:
                going.append(asyncio.ensure_future(in_thread()))
            else:
                with turn(group_uuid=GROUP, user_uuid=BAYKO):
                    pass
            await asyncio.sleep(0)

        site = Site()
        site.queue = SendQueue(inner)
        first = await site.post("first")
        assert first.task
        assert first.task.done()
        assert not site.is_idle

        writes.set()
        await wrote.wait()
        assert site.is_idle

    run_on_clock(scene)


def test_a_thread_that_comes_to_write_after_its_client_has_gone_does_not_wait() -> None:
    async def scene(_: Clock) -> None:
        site = Site()
        late = asyncio.Event()
        outcomes: list[str] = []

        async def in_thread() -> None:
            await late.wait()
            try:
                with turn(group_uuid=GROUP, user_uuid=BAYKO):
                    outcomes.append("written")
            except ConversationBusy:
                outcomes.append("busy")

        async def inner(scope: Any, receive: Any, send: Any) -> None:
            outcomes.append("handled")
            tasks.append(asyncio.ensure_future(in_thread()))

        tasks: list[asyncio.Task[None]] = []
        await site.post("writer")
        handle, site.queue._application = site.queue._application, inner
        await site.post("gone", BAYKO)
        site.queue._application = handle
        late.set()
        await settled()
        await site.end("writer")

        assert outcomes == ["handled", "busy"]
        assert site.is_idle

    run_on_clock(scene)


def test_a_body_that_comes_slowly_holds_no_turn() -> None:
    async def scene(_: Clock) -> None:
        site = Site()
        rest = asyncio.Event()
        site.posts["slow"] = Post("slow")
        parts = iter(
            [
                {"type": "http.request", "body": b"sl", "more_body": True},
                {"type": "http.request", "body": b"ow", "more_body": False},
            ]
        )

        async def slowly() -> Any:
            if (part := next(parts, None)) is None:
                await asyncio.Event().wait()
            if part and not part["more_body"]:
                await rest.wait()
            return part

        async def send(message: Any) -> None:
            site.posts["slow"].answer.append(message)

        scope = {"type": "http", "method": "POST", "path": "/", "name": "slow", "headers": []}
        task = asyncio.ensure_future(site.queue(scope, slowly, send))
        await settled()
        await site.post("quick")
        assert site.writing == ["quick"]

        await site.end("quick")
        rest.set()
        await settled()
        await site.end("slow")
        await task
        assert site.posts["slow"].status == 201

    run_on_clock(scene)


def test_a_client_that_goes_before_the_end_of_its_body_is_not_handled() -> None:
    async def scene(_: Clock) -> None:
        site = Site()
        parts = iter([{"type": "http.request", "body": b"ha", "more_body": True}, GONE])

        async def receive() -> Any:
            return next(parts)

        async def send(message: Any) -> None:
            raise AssertionError(message)

        # Not one of `posts`: the site would fail to handle it.
        await site.queue({"type": "http", "method": "POST", "path": "/", "name": "x", "headers": []}, receive, send)

    run_on_clock(scene)


async def happen(clock: Clock, site: Site, chance: random.Random) -> str:
    """Let one thing happen by chance; the name of the request whose client went, if that is it."""
    match chance.choice(["post", "post", "end", "break", "leave", "wait"]):
        case "post":
            person = chance.choice([ANDREW, BAYKO, LONDO])
            await site.post(f"{len(site.posts)}", person, session=f"{person}{chance.randrange(2)}")
        case "end" if site.writing:
            await site.end(*site.writing)
        case "break" if site.writing:
            await fail(site, site.posts[site.writing[0]])
        case "leave" if site.posts:
            name = chance.choice(list(site.posts))
            await chance.choice([cancel, disconnect])(site, site.posts[name])
            return name
        case "wait":
            clock.now += chance.choice([0.5, 1.0, 2.5])
            await settled()
    return ""


@pytest.mark.parametrize("seed", range(40))
def test_the_order_holds_under_random_arrivals_departures_and_failures(seed: int) -> None:
    """Whatever happens, one at a time writes, each person in order, and nothing is left at the end."""

    async def scene(clock: Clock) -> None:
        chance, site = random.Random(seed), Site()
        gone = {await happen(clock, site, chance) for _ in range(60)}
        while site.writing:
            await site.end(*site.writing)

        assert site.is_idle
        assert site.most_at_once == 1
        for person in (ANDREW, BAYKO, LONDO):
            own = [int(name) for name in site.written if site.posts[name].person == person]
            assert own == sorted(own)
        for name in site.posts.keys() - gone:
            post = site.posts[name]
            assert post.status == (None if post.breaks else 201 if name in site.written else 429)
        await asyncio.gather(*(post.task for post in site.posts.values() if post.task), return_exceptions=True)

    run_on_clock(scene)


# --- What a wait leaves to others -------------------------------------------------------------------------------------


def test_requests_that_wait_hold_no_turn_of_the_process() -> None:
    async def scene(_: Clock) -> None:
        site = Site()
        at_work: list[str] = []

        async def counted(scope: Any, receive: Any, send: Any) -> None:
            at_work.append(scope["name"])
            try:
                await site.handle(scope, receive, send)
            finally:
                at_work.remove(scope["name"])

        site.queue = SendQueue(ConcurrencyLimit(counted, at_once=2))
        for number in range(16):
            await site.post(str(number), UUID(int=number))
        assert at_work == ["0"]

        # Another page gets the second turn at once.
        await site.post("other page", group=OTHER_GROUP, path="/other")
        assert at_work == ["0", "other page"]

    run_on_clock(scene)


def test_how_long_requests_waited_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[Any] = []
    monkeypatch.setattr(metrics, "_listeners", [lambda *what: told.append(what)])

    async def scene(clock: Clock) -> None:
        site = Site()
        await site.post("first")
        await site.post("second")
        await site.post("third", BAYKO)
        clock.now += 0.25
        await site.end("first")
        clock.now += 5
        await settled()

    run_on_clock(scene)

    assert told == [
        (metrics.SEND_QUEUE_TIME, 0.25, {"outcome": "served"}),
        (metrics.SEND_QUEUE_TIME, 5.25, {"outcome": "refused"}),
    ]


def test_a_session_s_key_is_not_kept() -> None:
    async def scene(_: Clock) -> None:
        site, key = Site(), uuid4().hex
        await site.post("a", session=key)
        await site.post("b", session=key)

        assert key not in repr(site.queue.lines._senders)
        assert len(site.queue.lines._senders) == 1

    run_on_clock(scene)
