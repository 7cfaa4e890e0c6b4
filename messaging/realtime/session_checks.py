"""Who a session belongs to, for streams: they are ahead of Django's request cycle and ask for themselves.

However many streams ask at once, one thread with one database connection answers, and lets go of both.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping
from importlib import import_module
from uuid import UUID

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.base import SessionBase
from django.contrib.sessions.models import Session
from django.db import DatabaseError, InterfaceError, connection
from django.utils import timezone
from django.utils.crypto import constant_time_compare

from cruddur.web.rate_limits import LIMITS, RateLimited, take_each
from users.models import User

from .session_store import is_over

KEYS_A_STATEMENT = 500


class SessionsUnavailable(Exception):
    """Sessions cannot be read now."""


def people_of(session_keys: Collection[str]) -> dict[str, UUID]:
    """Of these sessions those that are somebody's who may be here, and whose. Two SQL statements for 500 sessions.

    Raises SessionsUnavailable.
    """
    keys = list(session_keys)
    found: dict[str, UUID] = {}
    try:
        for start in range(0, len(keys), KEYS_A_STATEMENT):
            found |= _people_of(keys[start : start + KEYS_A_STATEMENT])
    except (DatabaseError, InterfaceError) as error:
        raise SessionsUnavailable from error
    return found


def _people_of(session_keys: list[str]) -> dict[str, UUID]:
    rows = Session.objects.filter(session_key__in=session_keys, expire_date__gt=timezone.now())
    claims = {row.session_key: claim for row in rows if (claim := _claim(_session_store().decode(row.session_data)))}
    people = User.objects.filter(is_active=True).in_bulk({user_uuid for user_uuid, _ in claims.values()})
    return {
        session_key: user_uuid
        for session_key, (user_uuid, session_hash) in claims.items()
        if user_uuid in people and _is_from(people[user_uuid], session_hash)
    }


def _claim(session: Mapping[str, str]) -> tuple[UUID, str] | None:
    """Whose the session says it is, and the proof; as `django.contrib.auth.get_user` reads it."""
    if session.get(BACKEND_SESSION_KEY) not in settings.AUTHENTICATION_BACKENDS or is_over(session):
        return None
    try:
        return UUID(session[SESSION_KEY]), session.get(HASH_SESSION_KEY, "")
    except (KeyError, ValueError):
        return None


def _is_from(person: User, session_hash: str) -> bool:
    hashes = (person.get_session_auth_hash(), *person.get_session_auth_fallback_hash())
    return any(constant_time_compare(session_hash, each) for each in hashes)


def _session_store() -> SessionBase:
    store: SessionBase = import_module(settings.SESSION_ENGINE).SessionStore()
    return store


class SessionChecks:
    """Asks for many streams at once: those that come while a question is under way go together into the next one."""

    def __init__(self) -> None:
        self._waiting: dict[str, asyncio.Future[UUID | None]] = {}
        self._asking: asyncio.Task[None] | None = None

    async def person_of(self, session_key: str) -> UUID | None:
        """Whose the session is, for whom a stream opens. Raises SessionsUnavailable, RateLimited."""
        answer = self._waiting.get(session_key)
        if answer is None:
            answer = self._waiting[session_key] = asyncio.get_running_loop().create_future()
        if self._asking is None or self._asking.done():
            self._asking = asyncio.create_task(self._ask())
        return await asyncio.shield(answer)

    async def people_of(self, session_keys: Collection[str]) -> dict[str, UUID]:
        """As `people_of`, in another thread, whose connection is closed at the end."""
        return await asyncio.to_thread(_people_in_thread, session_keys)

    async def _ask(self) -> None:
        while self._waiting:
            asked, self._waiting = self._waiting, {}
            try:
                people, limited = await asyncio.to_thread(_opening_in_thread, asked.keys())
            except Exception as error:  # noqa: BLE001 - whatever it is, everyone who asked gets it
                for answer in asked.values():
                    answer.set_exception(error)
                    # Who asked may be gone meanwhile.
                    answer.exception()
            else:
                for session_key, answer in asked.items():
                    person = people.get(session_key)
                    if person in limited:
                        answer.set_exception(RateLimited(limited[person], "streams"))
                        answer.exception()
                    else:
                        answer.set_result(person)


def _opening_in_thread(session_keys: Collection[str]) -> tuple[dict[str, UUID], dict[UUID, int]]:
    """As `people_of`; and who of them opens streams too often, with the seconds to wait. One SQL statement more."""
    try:
        people = people_of(session_keys)
        limited = take_each(LIMITS["streams"], people=map(str, people.values()), now=timezone.now())
        return people, {UUID(who): wait for who, wait in limited.items()}
    except (DatabaseError, InterfaceError) as error:
        raise SessionsUnavailable from error
    finally:
        connection.close()


def _people_in_thread(session_keys: Collection[str]) -> dict[str, UUID]:
    try:
        return people_of(session_keys)
    finally:
        connection.close()
