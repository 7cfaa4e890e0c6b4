"""Who is tied to which Cognito user, and who is not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from users.cognito import CognitoUser
from users.linking import link_people
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


def test_it_ties_who_has_the_handle_and_the_verified_e_mail(imani: User) -> None:
    linking = link_people([IMANI])

    imani.refresh_from_db()
    assert imani.cognito_user_id == "sub-of-imani"
    assert linking.tied == [imani]
    assert linking.mismatches == []


def test_it_takes_no_account_of_case(imani: User) -> None:
    link_people([replace(IMANI, handle="IMANI", email="Imani@Cruddur.Example")])

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
def test_it_reports_a_mismatch_and_ties_nobody(imani: User, user: CognitoUser, reason: str) -> None:
    linking = link_people([user])

    imani.refresh_from_db()
    assert imani.cognito_user_id == MOCK
    assert linking.tied == []
    assert len(linking.mismatches) == 1
    assert linking.mismatches[0].startswith("@imani: ")
    assert reason in linking.mismatches[0]


def test_it_ties_nobody_whose_row_has_no_e_mail(imani: User) -> None:
    User.objects.update(email="")

    assert link_people([replace(IMANI, email="")]).tied == []


def test_it_ties_nobody_by_a_handle_that_only_looks_alike(imani: User) -> None:
    linking = link_people([replace(IMANI, handle="1mani")])

    imani.refresh_from_db()
    assert imani.cognito_user_id == MOCK
    assert linking.unknown == 1


def test_it_never_changes_who_is_tied(imani: User) -> None:
    User.objects.update(cognito_user_id="the-first-sub")

    linking = link_people([IMANI])

    imani.refresh_from_db()
    assert imani.cognito_user_id == "the-first-sub"
    assert "stays tied to the first" in linking.mismatches[0]


def test_it_reports_a_cognito_user_who_is_someone_else_already(imani: User, bayko: User) -> None:
    linking = link_people([replace(IMANI, sub=bayko.cognito_user_id)])

    imani.refresh_from_db()
    assert imani.cognito_user_id == MOCK
    assert "already is @bayko" in linking.mismatches[0]


def test_it_ties_one_of_two_who_claim_the_same(imani: User) -> None:
    linking = link_people([IMANI, replace(IMANI, sub="sub-of-evil")])

    imani.refresh_from_db()
    assert imani.cognito_user_id == "sub-of-imani"
    assert len(linking.mismatches) == 1


def test_it_counts_the_rest_and_goes_on(imani: User, bayko: User) -> None:
    without_handle = replace(IMANI, sub="1", handle="")
    unknown = replace(IMANI, sub="2", handle="nobody_yet")
    tied = replace(IMANI, sub=bayko.cognito_user_id, handle="bayko")
    renamed = replace(IMANI, sub=bayko.cognito_user_id, handle="bayko_renamed")

    linking = link_people([without_handle, unknown, tied, renamed, IMANI])

    assert (linking.without_handle, linking.unknown, linking.already_tied) == (1, 1, 2)
    assert linking.tied == [imani]


def test_it_changes_nothing_the_second_time(imani: User) -> None:
    link_people([IMANI])

    linking = link_people([IMANI])

    assert (linking.tied, linking.already_tied, linking.mismatches) == ([], 1, [])
