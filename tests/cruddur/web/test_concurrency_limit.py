"""Of requests that come at once a few are worked on; the rest wait, but not for long."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from django.conf import settings

from cruddur import asgi
from cruddur.web import concurrency_limit
from cruddur.web.concurrency_limit import ConcurrencyLimit

WHOLE = {"type": "http.request", "body": b"", "more_body": False}
AT_ONCE = 2


class Requests:
    """An application in which requests stay until the test lets them go, and how many are at work."""

    def __init__(self, *, at_once: int = AT_ONCE) -> None:
        self.turns = ConcurrencyLimit(self.work, at_once=at_once)
        self.at_work = self.answered = 0
        self.may_answer, self.may_end = asyncio.Event(), asyncio.Event()
        self.fails = False

    async def work(self, scope: Any, receive: Any, send: Any) -> None:
        while (await receive()).get("more_body"):
            pass
        self.at_work += 1
        await self.may_answer.wait()
        if self.fails:
            raise ValueError
        await send({"type": "http.response.start", "status": 200, "headers": []})
        self.at_work -= 1
        self.answered += 1
        await self.may_end.wait()
        await send({"type": "http.response.body", "body": b""})

    def comes(self, receive: Callable[[], Awaitable[Any]] | None = None) -> asyncio.Task[None]:
        async def at_once() -> Any:
            return WHOLE

        async def sent(message: Any) -> None:
            pass

        scope = {"type": "http", "method": "GET", "path": "/", "headers": [], "query_string": b""}
        return asyncio.ensure_future(self.turns(scope, receive or at_once, sent))


async def settled() -> None:
    """Wait until every task has progressed as far as it can."""
    for _ in range(20):
        await asyncio.sleep(0)


@pytest.fixture
def patience(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    return lambda seconds: monkeypatch.setattr(concurrency_limit, "LONGEST_WAIT", seconds)


def test_requests_above_the_limit_wait() -> None:
    async def scene() -> None:
        requests = Requests()
        coming = [requests.comes() for _ in range(5)]
        await settled()
        assert requests.at_work == AT_ONCE

        requests.may_answer.set()
        await settled()
        assert requests.answered == 5  # All have begun to, though none has ended.

        requests.may_end.set()
        await asyncio.gather(*coming)

    asyncio.run(scene())


def test_long_wait_ends_without_a_turn(patience: Callable[[float], None]) -> None:
    patience(0.01)

    async def scene() -> None:
        requests = Requests()
        coming = [requests.comes() for _ in range(5)]
        await asyncio.sleep(0.1)
        assert requests.at_work == len(coming)

        requests.may_answer.set()
        requests.may_end.set()
        await asyncio.gather(*coming)
        # Those that had no turn gave none back.
        requests.may_answer.clear()
        patience(10)
        coming = [requests.comes() for _ in range(5)]
        await settled()
        assert requests.at_work == AT_ONCE
        requests.may_answer.set()
        await asyncio.gather(*coming)

    asyncio.run(scene())


def test_slow_body_holds_no_turn() -> None:
    async def scene() -> None:
        requests = Requests(at_once=1)
        rest = asyncio.Event()
        parts = iter([{"type": "http.request", "body": b"a", "more_body": True}])

        async def slowly() -> Any:
            if part := next(parts, None):
                return part
            await rest.wait()
            return WHOLE

        slow = requests.comes(slowly)
        await settled()
        other = requests.comes()
        await settled()
        assert requests.at_work == 1

        requests.may_answer.set()
        requests.may_end.set()
        await other
        rest.set()
        await slow

    asyncio.run(scene())


@pytest.mark.parametrize("how", ["failed", "cancelled", "cancelled while it waited"])
def test_failed_request_releases_its_turn(how: str) -> None:
    async def scene() -> None:
        requests = Requests(at_once=1)
        first, second = requests.comes(), requests.comes()
        await settled()
        if how == "failed":
            requests.fails = True
            requests.may_answer.set()
        else:
            (first if how == "cancelled" else second).cancel()
        await settled()
        requests.fails, requests.at_work = False, 0
        third = requests.comes()
        requests.may_answer.set()
        requests.may_end.set()
        await asyncio.wait_for(third, 60)
        await asyncio.gather(first, second, return_exceptions=True)

    asyncio.run(scene())


def test_lifespan_takes_no_turn() -> None:
    calls: list[Any] = []

    async def inner(*call: Any) -> None:
        calls.append(call)

    asyncio.run(ConcurrencyLimit(inner, at_once=1)({"type": "lifespan"}, "receive", "send"))

    assert calls == [({"type": "lifespan"}, "receive", "send")]


def test_site_limits_concurrency() -> None:
    async def scene() -> None:
        requests = Requests()
        requests.turns = asgi.site(requests.work)  # type: ignore[assignment]
        coming = [requests.comes() for _ in range(settings.REQUESTS_AT_ONCE + 2)]
        await settled()
        assert requests.at_work == settings.REQUESTS_AT_ONCE

        requests.may_answer.set()
        requests.may_end.set()
        await asyncio.gather(*coming)

    asyncio.run(scene())


def test_event_streams_hold_no_turn() -> None:
    layers, layer = [], asgi.application
    while layer is not asgi.django:
        layers.append(type(layer).__name__)
        layer = getattr(layer, "_application", None) or layer._django  # type: ignore[attr-defined]

    assert layers.index("LiveApplication") < layers.index("ConcurrencyLimit")
