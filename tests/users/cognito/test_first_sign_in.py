"""Two first sign-ins at once: the database decides."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from django.db import connection

from users.cognito import sign_in
from users.cognito.sign_in import AccountClosed, Identity, first_sign_in, person_of
from users.handles import HandleError
from users.models import User

IDENTITY = Identity(sub="new-sub", email="", name="New", handle="newcomer", is_admin=False)


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[object]]:
    """Run the functions in threads that all pass their checks before any of them writes."""

    def at_once(*functions: Callable[[], User]) -> list[object]:
        barrier = threading.Barrier(len(functions))
        monkeypatch.setattr(sign_in, "require_free", lambda _handle: barrier.wait(5))
        outcomes: list[object] = []

        def run(function: Callable[[], User]) -> None:
            try:
                outcomes.append(function())
            except HandleError as error:
                outcomes.append(error.code)
            finally:
                connection.close()

        threads = [threading.Thread(target=run, args=[function]) for function in functions]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return outcomes

    return at_once


@pytest.mark.django_db(transaction=True)
def test_simultaneous_first_sign_ins_create_one_user(at_once: Callable[..., list[object]]) -> None:
    outcomes = at_once(*[lambda: person_of(IDENTITY)] * 4)

    assert outcomes == [User.objects.get()] * 4


@pytest.mark.django_db(transaction=True)
def test_handle_goes_to_one_of_two(at_once: Callable[..., list[object]]) -> None:
    other = Identity(sub="other-sub", email="", name="", handle="", is_admin=False)

    outcomes = at_once(
        lambda: first_sign_in(identity=IDENTITY, handle="Newcomer"),
        lambda: first_sign_in(identity=other, handle="newcomer"),
    )

    assert sorted(outcomes, key=str) == [User.objects.get(), "handle_taken"]


@pytest.mark.django_db(transaction=True)
def test_lookalike_handles_go_to_one_of_two(at_once: Callable[..., list[object]]) -> None:
    other = Identity(sub="other-sub", email="", name="", handle="", is_admin=False)

    outcomes = at_once(
        lambda: first_sign_in(identity=IDENTITY, handle="newcomer"),
        lambda: first_sign_in(identity=other, handle="newc0mer"),
    )

    assert sorted(outcomes, key=str) == [User.objects.get(), "handle_taken"]


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["", "  ", "\u200b\u2060", "\u3164"])
def test_missing_name_defaults_to_the_handle(name: str) -> None:
    identity = Identity(sub="new-sub", email="", name=name, handle="newcomer", is_admin=False)

    assert person_of(identity).display_name == "newcomer"


@pytest.mark.django_db
def test_long_name_is_shortened() -> None:
    identity = Identity(sub="new-sub", email="", name="🙂" * 100, handle="newcomer", is_admin=False)

    assert person_of(identity).display_name == "🙂" * 64


@pytest.mark.django_db
def test_closed_account_cannot_sign_in_by_choosing_a_handle() -> None:
    User.objects.create_user(handle="closed", display_name="C", cognito_user_id="new-sub", is_active=False)

    with pytest.raises(AccountClosed):
        first_sign_in(identity=IDENTITY, handle="newcomer")
