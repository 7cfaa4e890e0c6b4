"""Find the users of sessions for streams, which run outside Django's request cycle.

However many streams ask at once, one thread with one database connection answers, then closes it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from uuid import UUID

from django.db import DatabaseError, InterfaceError, connection
from django.utils import timezone

from cruddur.web.rate_limits import LIMITS, RateLimited, take_each
from users.sessions.lookup import SessionsUnavailable, users_of


class SessionChecks:
    """Answer many streams with one query: questions that arrive during a query are batched into the next."""

    def __init__(self) -> None:
        self._waiting: dict[str, asyncio.Future[UUID | None]] = {}
        self._asking: asyncio.Task[None] | None = None

    async def user_of(self, session_key: str) -> UUID | None:
        """Return the session's user for a stream that opens; None for an invalid session.

        Raises SessionsUnavailable, RateLimited.
        """
        answer = self._waiting.get(session_key)
        if answer is None:
            answer = self._waiting[session_key] = asyncio.get_running_loop().create_future()
        if self._asking is None or self._asking.done():
            self._asking = asyncio.create_task(self._ask())
        return await asyncio.shield(answer)

    async def users_of(self, session_keys: Collection[str]) -> dict[str, UUID]:
        """Call `users_of` in another thread, whose connection is closed at the end."""
        return await asyncio.to_thread(_users_in_thread, session_keys)

    async def _ask(self) -> None:
        while self._waiting:
            asked, self._waiting = self._waiting, {}
            try:
                users, limited = await asyncio.to_thread(_opening_in_thread, asked.keys())
            except Exception as error:  # noqa: BLE001 - every caller gets the error, whatever it is
                for answer in asked.values():
                    answer.set_exception(error)
                    # The caller may have been cancelled meanwhile.
                    answer.exception()
            else:
                for session_key, answer in asked.items():
                    user = users.get(session_key)
                    if user in limited:
                        answer.set_exception(RateLimited(limited[user], "streams"))
                        answer.exception()
                    else:
                        answer.set_result(user)


def _opening_in_thread(session_keys: Collection[str]) -> tuple[dict[str, UUID], dict[UUID, int]]:
    """Return the result of `users_of`, and the users who open streams too often with the seconds to wait.

    One SQL statement more than `users_of`. Raises SessionsUnavailable.
    """
    try:
        users = users_of(session_keys)
        limited = take_each(LIMITS["streams"], people=map(str, users.values()), now=timezone.now())
        return users, {UUID(who): wait for who, wait in limited.items()}
    except (DatabaseError, InterfaceError) as error:
        raise SessionsUnavailable from error
    finally:
        connection.close()


def _users_in_thread(session_keys: Collection[str]) -> dict[str, UUID]:
    try:
        return users_of(session_keys)
    finally:
        connection.close()
