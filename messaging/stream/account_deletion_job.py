"""Run pending account deletions in small steps between a worker's other work."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from uuid import UUID

from django.db import InterfaceError, OperationalError
from django.utils import timezone

from messaging.actions import delete_account
from messaging.dynamodb.client import Unavailable
from messaging.dynamodb.connection import message_table
from messaging.dynamodb.malformed import MalformedItem
from users import delete_account as delete_account_module
from users.cognito.client import CognitoError
from users.cognito.pool import user_pool

logger = logging.getLogger(__name__)

LOOK_SECONDS = 5.0
"""How often the worker queries Postgres for pending deletions."""
AT_ONCE_SECONDS = 0.2
"""How long one run of the job may delay projections."""
AGAIN_SECONDS = 60.0
"""How long to wait after a failed step."""


@dataclass(slots=True)
class _Deletion:
    steps: Iterator[float]
    due: float = 0.0


@dataclass(slots=True)
class AccountDeletionJob:
    """Run the steps that are due, for at most `AT_ONCE_SECONDS`. Raises when Postgres does not answer."""

    clock: Callable[[], float] = time.monotonic
    _under_way: dict[UUID, _Deletion] = field(default_factory=dict)
    _look_due: float = 0.0

    def __call__(self) -> None:
        now = self.clock()
        if now >= self._look_due:
            self._look_due = now + LOOK_SECONDS
            self._look()
        while due := [user_uuid for user_uuid, each in self._under_way.items() if each.due <= self.clock()]:
            self._step(due[0])
            if self.clock() >= now + AT_ONCE_SECONDS:
                return

    def _look(self) -> None:
        for user_uuid in delete_account_module.waiting():
            self._under_way.setdefault(user_uuid, self._begun(user_uuid))

    def _step(self, user_uuid: UUID) -> None:
        under_way = self._under_way[user_uuid]
        try:
            under_way.due = self.clock() + next(under_way.steps)
        except StopIteration:
            del self._under_way[user_uuid]
        except (OperationalError, InterfaceError):
            raise
        except (Unavailable, CognitoError, MalformedItem) as error:
            why = str(error) or "DynamoDB does not answer"
            logger.warning("the deletion of account %s goes on in a minute: %s", user_uuid, why)
            self._begin_again(user_uuid)
        except Exception:
            # Whatever the error is, projections must continue.
            logger.exception("the deletion of account %s failed; it is tried again in a minute", user_uuid)
            self._begin_again(user_uuid)

    def _begin_again(self, user_uuid: UUID) -> None:
        self._under_way[user_uuid] = again = self._begun(user_uuid)
        again.due = self.clock() + AGAIN_SECONDS

    def _begun(self, user_uuid: UUID) -> _Deletion:
        return _Deletion(
            delete_account.steps(user_uuid=user_uuid, table=message_table(), user_pool=user_pool, clock=timezone.now)
        )
