"""The worker deletes accounts between its other work, a little at a time, and lists never wait for it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import OperationalError
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries
from pytest_django.fixtures import Settings

from messaging.actions import delete_account
from messaging.dynamodb.table import MessageTable
from messaging.stream import account_deletion_job
from messaging.stream.account_deletion_job import AGAIN_SECONDS, LOOK_SECONDS, AccountDeletionJob
from tests.messaging.faults import answer, fault
from tests.messaging.talk import start
from users import delete_account as delete_account_module
from users.models import MOCK, User


class Clock:
    """Seconds that pass when a test says so."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def leaving(table: MessageTable, andrew: User, bayko: User) -> User:
    """Create a user without a Cognito user who asked for deletion a while ago."""
    User.objects.filter(pk=andrew.pk).update(cognito_user_id=MOCK)
    start(by=andrew.uuid, to=bayko.uuid)
    delete_account.ask(user_uuid=andrew.uuid, now=timezone.now() - timedelta(hours=1))
    return andrew


def work(waiting: AccountDeletionJob, *, passes: int = 10) -> None:
    for _ in range(passes):
        waiting()


def test_job_deletes_waiting_accounts(leaving: User, clock: Clock) -> None:
    work(AccountDeletionJob(clock))

    assert delete_account_module.waiting() == []


def test_job_finds_later_requests(leaving: User, bayko: User, clock: Clock) -> None:
    waiting = AccountDeletionJob(clock)
    work(waiting)
    User.objects.filter(pk=bayko.pk).update(cognito_user_id=MOCK)
    delete_account.ask(user_uuid=bayko.uuid, now=timezone.now() - timedelta(hours=1))

    clock.now += LOOK_SECONDS
    work(waiting)

    assert delete_account_module.waiting() == []


@pytest.mark.django_db
def test_while_nobody_waits_it_asks_postgres_every_few_seconds(
    clock: Clock, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    waiting = AccountDeletionJob(clock)

    with django_assert_num_queries(1):
        work(waiting, passes=20)


def test_lists_do_not_wait_for_a_long_one(monkeypatch: pytest.MonkeyPatch, leaving: User) -> None:
    monkeypatch.setattr(account_deletion_job, "AT_ONCE_SECONDS", 0)
    waiting = AccountDeletionJob()

    waiting()

    assert delete_account_module.waiting() == [leaving.uuid]


def test_job_waits_for_requests_in_flight(leaving: User, clock: Clock) -> None:
    User.objects.filter(pk=leaving.pk).update(deletion_asked_at=timezone.now() - timedelta(seconds=30))
    waiting = AccountDeletionJob(clock)

    work(waiting)
    assert delete_account_module.waiting() == [leaving.uuid]


def test_failed_deletion_is_retried_after_a_minute(leaving: User, table: MessageTable, clock: Clock) -> None:
    waiting = AccountDeletionJob(clock)
    with fault(table, "Query", *[answer("InternalServerError", 500)] * 2) as sent:
        work(waiting)
    assert sent == ["Query"] * 2
    assert delete_account_module.waiting() == [leaving.uuid]

    clock.now += AGAIN_SECONDS
    work(waiting)

    assert delete_account_module.waiting() == []


def test_cognito_that_cannot_be_asked_ends_nothing(leaving: User, clock: Clock, settings: Settings) -> None:
    User.objects.filter(pk=leaving.pk).update(cognito_user_id="sub")
    settings.COGNITO_USER_POOL_ID = ""

    work(AccountDeletionJob(clock))

    assert delete_account_module.waiting() == [leaving.uuid]


def test_a_failure_nobody_has_foreseen_ends_nothing(
    leaving: User, table: MessageTable, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    with fault(table, "Query", *[answer("SomethingNew")] * 2):
        work(AccountDeletionJob(clock))

    assert f"the deletion of account {leaving.uuid} failed" in caplog.text


def test_without_postgres_the_worker_is_told(leaving: User, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    def gone() -> None:
        raise OperationalError

    monkeypatch.setattr(delete_account_module, "waiting", gone)

    with pytest.raises(OperationalError):
        AccountDeletionJob(clock)()
