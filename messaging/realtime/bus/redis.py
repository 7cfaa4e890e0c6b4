"""The bus on Redis or Valkey, with publish and subscribe."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Sequence
from functools import cache

import redis
import redis.asyncio
from django.conf import settings
from redis.exceptions import RedisError

from .protocol import BusUnavailable

CONNECT_SECONDS = 1
ANSWER_SECONDS = 1
QUIET_SECONDS = 20
"""How long without a message before the connection is checked."""


class RedisBus:
    """Uses one channel per table, so that sites can share a server. Its clients connect on first use."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._publisher = redis.Redis.from_url(
            url, socket_connect_timeout=CONNECT_SECONDS, socket_timeout=ANSWER_SECONDS
        )

    @property
    def channel(self) -> str:
        return f"cruddur-live:{settings.DDB_MESSAGE_TABLE}"

    def publish(self, payloads: Sequence[str]) -> None:
        try:
            with self._publisher.pipeline(transaction=False) as pipeline:
                for payload in payloads:
                    pipeline.publish(self.channel, payload)
                pipeline.execute()
        except (RedisError, OSError) as error:
            raise BusUnavailable(type(error).__name__) from error

    def hear_itself(self, *, seconds: float) -> None:
        channel = f"{self.channel}:{secrets.token_hex(8)}"
        until = time.monotonic() + seconds
        try:
            with self._publisher.pubsub(ignore_subscribe_messages=True) as listener:  # type: ignore[no-untyped-call]
                listener.subscribe(channel)
                self._publisher.publish(channel, "")
                while (left := until - time.monotonic()) > 0:
                    if listener.get_message(timeout=left):
                        return
        except (RedisError, OSError) as error:
            raise BusUnavailable(type(error).__name__) from error
        raise BusUnavailable("not heard")

    async def listen(self, *, up: Callable[[], None], hear: Callable[[str], None]) -> None:
        try:
            async with (
                redis.asyncio.Redis.from_url(
                    self._url, socket_connect_timeout=CONNECT_SECONDS, decode_responses=True
                ) as client,
                client.pubsub() as listener,
            ):
                await listener.subscribe(self.channel)
                asked = False
                while True:
                    said = await listener.get_message(timeout=QUIET_SECONDS)
                    if said is None:
                        if asked:
                            raise BusUnavailable("no answer")
                        asked = True
                        await listener.ping()
                        continue
                    asked = False
                    if said["type"] == "subscribe":
                        up()
                    elif said["type"] == "message":
                        hear(said["data"])
        except (RedisError, OSError) as error:
            raise BusUnavailable(type(error).__name__) from error


@cache
def redis_bus(url: str) -> RedisBus:
    """Return this process's only publisher to this server."""
    return RedisBus(url)
