"""Linking Cognito users to users: which are linked, which are created, and which are skipped."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import connection
from pytest_django import DjangoAssertNumQueries

from users.cognito import linking, sign_in
from users.cognito.client import CognitoUser
from users.cognito.linking import OTHER_USER, Link, link_people, matches
from users.cognito.sign_in import identity_of, person_of
from users.models import MOCK, User

pytestmark = pytest.mark.django_db

IMANI = CognitoUser(
    sub="sub-of-imani",
    handle="imani",
    email="imani@cruddur.example",
    email_verified=True,
    name="Imani",
    status="CONFIRMED",
    enabled=True,
)


@pytest.fixture
def imani(db: None) -> User:
    return User.objects.create_user(handle="imani", display_name="Imani", email="imani@cruddur.example")


def link(*users: CognitoUser, **options: bool) -> list[Link]:
    return list(link_people(users, **options))


def outcomes(*users: CognitoUser, **options: bool) -> list[str]:
    return [each.outcome for each in link(*users, **options)]


def everyone() -> list[dict[str, Any]]:
    """Return all rows of the users table."""
    return [dict(row) for row in User.objects.order_by("pk").values()]


# --- Tying ----------------------------------------------------------------------------------------------------------


def test_user_with_same_handle_and_verified_email_is_linked(imani: User) -> None:
    assert link(IMANI) == [Link(IMANI, "tied", imani)]

    imani.refresh_from_db()
    assert imani.cognito_user_id == "sub-of-imani"


@pytest.mark.parametrize("handle", ["IMANI", "@imani", "\uff49mani"])
def test_handle_and_email_match_regardless_of_case(imani: User, handle: str) -> None:
    link(replace(IMANI, handle=handle, email="Imani@Cruddur.Example"))

    imani.refresh_from_db()
    assert imani.cognito_user_id == "sub-of-imani"


@pytest.mark.parametrize(
    ("user", "reason"),
    [
        (replace(IMANI, email="evil@cruddur.example"), "another e-mail"),
        (replace(IMANI, email=""), "another e-mail"),
        (replace(IMANI, email_verified=False), "not verified"),
        (replace(IMANI, sub="MOCK"), "no usable sub"),
        (replace(IMANI, sub=""), "no usable sub"),
    ],
)
@pytest.mark.parametrize("create_missing", [False, True])
def test_mismatch_is_reported_and_changes_nothing(
    imani: User, user: CognitoUser, reason: str, create_missing: bool
) -> None:
    before = everyone()

    (found,) = link(user, create_missing=create_missing)

    assert everyone() == before
    assert (found.outcome, found.person) == ("mismatch", imani)
    assert reason in found.reason


def test_user_without_email_is_not_linked(imani: User) -> None:
    User.objects.update(email="")

    assert outcomes(replace(IMANI, email="")) == ["mismatch"]


def test_lookalike_handle_is_not_linked(imani: User) -> None:
    assert outcomes(replace(IMANI, handle="1mani")) == ["unknown"]

    imani.refresh_from_db()
    assert imani.cognito_user_id == MOCK


def test_linked_user_is_never_changed(imani: User) -> None:
    User.objects.update(cognito_user_id="the-first-sub")
    before = everyone()

    (found,) = link(IMANI, create_missing=True)

    assert everyone() == before
    assert found.outcome == "mismatch"
    assert "stays tied to the first" in found.reason


def test_cognito_user_linked_to_another_user_is_reported(imani: User, bayko: User) -> None:
    (found,) = link(replace(IMANI, sub=bayko.cognito_user_id))

    imani.refresh_from_db()
    assert imani.cognito_user_id == MOCK
    assert (found.outcome, found.reason) == ("mismatch", "The Cognito user with this handle already is @bayko.")


@pytest.mark.parametrize("batch", [1, 500])
@pytest.mark.parametrize(("dry_run", "first"), [(False, "tied"), (True, "would_tie")])
def test_only_one_of_two_claims_is_linked(
    imani: User, monkeypatch: pytest.MonkeyPatch, batch: int, dry_run: bool, first: str
) -> None:
    monkeypatch.setattr(linking, "BATCH", batch)

    assert outcomes(IMANI, replace(IMANI, sub="sub-of-evil"), dry_run=dry_run) == [first, "mismatch"]


def test_user_renamed_in_cognito_is_named_by_own_handle(bayko: User) -> None:
    renamed = replace(IMANI, sub=bayko.cognito_user_id, handle="bayko_renamed")

    assert link(renamed) == [Link(renamed, "already", bayko)]


@pytest.mark.parametrize("handle", ["", "   ", "not a handle", "a", "\x00", "\ud800", "x" * 2000])
def test_a_user_without_a_usable_handle_stops_nothing(imani: User, handle: str) -> None:
    without = replace(IMANI, sub="1", handle=handle.strip())

    assert outcomes(without, IMANI, create_missing=True) == ["unknown" if without.handle else "no_handle", "tied"]


def test_user_with_a_chosen_handle_needs_none_in_cognito(bayko: User) -> None:
    assert outcomes(replace(IMANI, sub=bayko.cognito_user_id, handle="")) == ["already"]


def test_linking_many_users_takes_two_queries(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    users = [replace(IMANI, sub=str(number), handle=f"handle_{number}") for number in range(200)]

    with django_assert_num_queries(2):
        assert outcomes(*users) == ["unknown"] * 200


# --- Again, at once, and interrupted --------------------------------------------------------------------------------


def test_repeated_linking_changes_nothing(imani: User) -> None:
    users = [IMANI, replace(IMANI, sub="2", handle="newcomer")]
    assert outcomes(*users, create_missing=True) == ["tied", "created"]
    before = everyone()

    assert outcomes(*users, create_missing=True) == ["already", "already"]
    assert everyone() == before


def test_finished_users_stay_done_after_an_interruption(imani: User) -> None:
    links = link_people([IMANI, replace(IMANI, sub="2", handle="newcomer")], create_missing=True)

    next(links)
    links.close()  # type: ignore[attr-defined]

    assert User.objects.get().cognito_user_id == "sub-of-imani"


def test_concurrent_linking_links_once(imani: User, bayko: User) -> None:
    users = [replace(IMANI, sub=bayko.cognito_user_id, handle="bayko"), IMANI]
    one, other = link_people(users), link_people(users)
    next(one), next(other)  # both have looked everyone up

    assert [next(one).outcome, next(other).outcome] == ["tied", "already"]


def test_user_changed_during_linking_is_not_linked(imani: User, bayko: User) -> None:
    links = link_people([replace(IMANI, sub=bayko.cognito_user_id, handle="bayko"), IMANI])
    next(links)
    User.objects.create_user(handle="other", display_name="O", cognito_user_id=IMANI.sub)

    found = next(links)

    imani.refresh_from_db()
    assert imani.cognito_user_id == MOCK
    assert (found.outcome, found.reason) == ("mismatch", "The Cognito user with this handle already is @other.")


def test_email_changed_during_linking_prevents_link(imani: User, bayko: User) -> None:
    links = link_people([replace(IMANI, sub=bayko.cognito_user_id, handle="bayko"), IMANI])
    next(links)
    User.objects.filter(pk=imani.pk).update(email="new@cruddur.example")

    assert "another e-mail" in next(links).reason
    imani.refresh_from_db()
    assert imani.cognito_user_id == MOCK


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[str]]:
    """Link each user in a thread of its own; all find their handle free before any of them takes it."""

    def at_once(*users: CognitoUser) -> list[str]:
        barrier = threading.Barrier(len(users))
        monkeypatch.setattr(sign_in, "require_free", lambda _handle: barrier.wait(5))
        found: list[str] = []

        def run(user: CognitoUser) -> None:
            try:
                found.extend(outcomes(user, create_missing=True))
            finally:
                connection.close()

        threads = [threading.Thread(target=run, args=[user]) for user in users]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return sorted(found)

    return at_once


@pytest.mark.django_db(transaction=True)
def test_concurrent_creation_creates_one_user(at_once: Callable[..., list[str]]) -> None:
    assert at_once(IMANI, IMANI) == ["already", "created"]
    assert User.objects.get().cognito_user_id == "sub-of-imani"


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("handle", "outcome"), [("Imani", "mismatch"), ("1mani", "unknown")])
def test_concurrent_creation_gives_handle_to_one_user(
    at_once: Callable[..., list[str]], handle: str, outcome: str
) -> None:
    assert at_once(IMANI, replace(IMANI, sub="2", handle=handle)) == ["created", outcome]


# --- Making people --------------------------------------------------------------------------------------------------


def test_users_are_created_only_on_request(db: None) -> None:
    (found,) = link(IMANI)

    assert found.outcome == "unknown"
    assert "the first sign-in makes the person" in found.reason
    assert not User.objects.exists()


def test_created_user_equals_that_of_first_sign_in() -> None:
    user = replace(IMANI, handle="\uff21nn", name="  Ann \x00 Example  ")

    (found,) = link(user, create_missing=True)
    made = User.objects.values().get()
    assert found.person is not None
    assert (found.outcome, found.person.pk) == ("created", made["uuid"])

    User.objects.all().delete()
    claims = {"sub": user.sub, "name": user.name, "preferred_username": user.handle, "email_verified": "true"}
    person_of(identity_of({**claims, "email": user.email}))
    signed_in = User.objects.values().get()
    own = ("uuid", "created_at", "password")
    assert {**made, **dict.fromkeys(own)} == {**signed_in, **dict.fromkeys(own)}


@pytest.mark.parametrize(
    ("user", "reason"),
    [
        (replace(IMANI, email_verified=False), "e-mail is not verified"),
        (replace(IMANI, email="no e-mail"), "e-mail is not verified"),
        (replace(IMANI, enabled=False), "is disabled"),
        (replace(IMANI, status="FORCE_CHANGE_PASSWORD"), "not confirmed (FORCE_CHANGE_PASSWORD)"),
        (replace(IMANI, sub="mock"), "no usable sub"),
        (replace(IMANI, handle="not a handle"), "letters, digits and underscores"),
        (replace(IMANI, handle="admin"), "kept for Cruddur itself"),
        (replace(IMANI, handle="bayk0"), "looks like another one"),
    ],
)
@pytest.mark.parametrize("dry_run", [False, True])
def test_user_that_cannot_be_created_is_explained(bayko: User, user: CognitoUser, reason: str, dry_run: bool) -> None:
    (found,) = link(user, create_missing=True, dry_run=dry_run)

    assert found.outcome == "unknown"
    assert reason in found.reason
    assert User.objects.get() == bayko


@pytest.mark.parametrize("batch", [1, 500])
@pytest.mark.parametrize(("dry_run", "first"), [(False, "created"), (True, "would_create")])
def test_only_one_of_two_users_gets_the_same_handle(
    monkeypatch: pytest.MonkeyPatch, batch: int, dry_run: bool, first: str
) -> None:
    monkeypatch.setattr(linking, "BATCH", batch)
    others = replace(IMANI, sub="2", handle="Imani"), replace(IMANI, sub="3", handle="1mani")

    found = outcomes(IMANI, *others, create_missing=True, dry_run=dry_run)

    assert found == [first, "mismatch", "unknown"]


def test_dry_run_changes_nothing(imani: User, bayko: User) -> None:
    before = everyone()
    users = [IMANI, replace(IMANI, sub="2", handle="newcomer"), replace(IMANI, sub="3", handle="bayko")]

    assert outcomes(*users, create_missing=True, dry_run=True) == ["would_tie", "would_create", "mismatch"]
    assert everyone() == before


# --- Telling --------------------------------------------------------------------------------------------------------


def test_a_match_tells_who_waits_for_a_user_and_why_they_are_not_tied(imani: User) -> None:
    fine, other = matches([IMANI, replace(IMANI, email="other@cruddur.example")])

    assert (fine.waiting, fine.obstacle) == (imani, "")
    assert (other.waiting, other.obstacle) == (imani, "The Cognito user has another e-mail.")


def test_a_match_tells_that_nobody_waits_for_who_is_tied_elsewhere(imani: User, bayko: User) -> None:
    (match,) = matches([replace(IMANI, sub=bayko.cognito_user_id)])

    assert (match.owner, match.namesake, match.waiting) == (bayko, imani, None)


# --- A pool that was made again -------------------------------------------------------------------------------------


def lost(person: User) -> User:
    person.cognito_user_id = "sub-in-the-deleted-pool"
    person.save()
    return person


def test_person_whose_user_is_gone_is_tied_again_when_asked(imani: User) -> None:
    lost(imani)
    assert link(IMANI) == [Link(IMANI, "mismatch", imani, OTHER_USER)]

    rehearsed = link(IMANI, replace_lost=True, dry_run=True)
    done = link(IMANI, replace_lost=True)

    assert rehearsed == [Link(IMANI, "would_tie", imani, was_lost=True)]
    assert done == [Link(IMANI, "tied", imani, was_lost=True)]
    imani.refresh_from_db()
    assert imani.cognito_user_id == IMANI.sub
    assert outcomes(IMANI, replace_lost=True) == ["already"]


def test_person_whose_user_is_still_there_is_never_tied_to_another(imani: User) -> None:
    imani.cognito_user_id = "sub-still-there"
    imani.save()
    still_there = replace(IMANI, sub="sub-still-there", handle="renamed")

    assert outcomes(still_there, IMANI, replace_lost=True) == ["already", "mismatch"]

    imani.refresh_from_db()
    assert imani.cognito_user_id == "sub-still-there"


@pytest.mark.parametrize(
    "doubtful", [replace(IMANI, email="other@cruddur.example"), replace(IMANI, email_verified=False)]
)
def test_lost_person_is_not_tied_by_handle_alone(imani: User, doubtful: CognitoUser) -> None:
    lost(imani)

    assert outcomes(doubtful, replace_lost=True) == ["mismatch"]


def test_deleted_account_is_not_tied_again(imani: User) -> None:
    lost(imani)
    now = datetime.now(UTC)
    User.objects.filter(pk=imani.pk).update(deletion_asked_at=now, deleted_at=now, is_active=False)

    assert outcomes(IMANI, replace_lost=True) == ["mismatch"]
