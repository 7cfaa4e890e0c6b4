"""People of the old system move in: who they are here, and what becomes of what cannot be as it was."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest

from legacy_import.import_users import ImportResult, import_users
from legacy_import.legacy_users import LegacyUser
from users.cognito.client import CognitoUser
from users.cognito.linking import link_people
from users.models import MOCK, MovedIn, User

pytestmark = pytest.mark.django_db

OLD = LegacyUser(UUID(int=7), "andrewbrown", "Andrew Brown", "andrew@cruddur.example", "sub-andrew", "Hello")


def moved(*people: LegacyUser, dry_run: bool = False, keep_cognito_ids: bool = True) -> list[ImportResult]:
    return list(import_users(people, dry_run=dry_run, keep_cognito_ids=keep_cognito_ids))


def here(old: LegacyUser) -> User:
    return MovedIn.objects.get(old_uuid=old.uuid).person


def person(handle: str = "andrewbrown", email: str = "", sub: str = MOCK) -> User:
    return User.objects.create_user(handle=handle, display_name="New", email=email, cognito_user_id=sub)


def test_user_is_imported_with_all_columns() -> None:
    since = datetime(2023, 2, 1, tzinfo=UTC)

    (arrival,) = moved(replace(OLD, created_at=since))

    assert (arrival.uuid, arrival.outcome, arrival.remarks) == (OLD.uuid, "created", ())
    found = User.objects.get(uuid=OLD.uuid)
    assert (found.handle, found.display_name, found.email) == ("andrewbrown", "Andrew Brown", "andrew@cruddur.example")
    assert (found.bio, found.cognito_user_id, found.created_at) == ("Hello", "sub-andrew", since)
    assert not found.has_usable_password()


def test_repeated_import_creates_no_user() -> None:
    moved(OLD)

    assert [arrival.outcome for arrival in moved(OLD)] == ["found"]
    assert User.objects.count() == 1


def test_signed_in_user_is_matched_by_cognito_id() -> None:
    new = person("andrew", sub="sub-andrew")

    (arrival,) = moved(OLD)

    assert (arrival.uuid, arrival.outcome) == (new.uuid, "matched")


def test_replaced_cognito_user_is_matched_by_handle_and_e_mail() -> None:
    new = person("AndrewBrown", "Andrew@cruddur.example", sub="sub-of-another-pool")

    assert moved(OLD)[0].uuid == new.uuid


@pytest.mark.parametrize(("handle", "email"), [("andrewbrown", "other@cruddur.example"), ("andrewbrown", "")])
def test_users_are_not_matched_by_handle_alone(handle: str, email: str) -> None:
    new = person(handle, email)

    (arrival,) = moved(OLD)

    assert (arrival.outcome, arrival.uuid) == ("created", OLD.uuid)
    assert User.objects.get(uuid=OLD.uuid).handle == "andrewbrown_2"
    assert arrival.remarks == ("The handle andrewbrown cannot be had: it is andrewbrown_2 now.",)
    new.refresh_from_db()
    assert new.handle == handle


def test_two_legacy_users_are_never_merged() -> None:
    twin = replace(OLD, uuid=UUID(int=8))

    one, other = moved(OLD, twin)

    assert one.uuid != other.uuid
    assert here(twin).cognito_user_id == MOCK
    assert "The Cognito user is somebody else's already: this person waits for another." in other.remarks


def test_imported_user_stays_matched_after_changes() -> None:
    new = person("andrewbrown", "andrew@cruddur.example")
    moved(OLD)
    User.objects.filter(pk=new.pk).update(email="changed@cruddur.example")

    assert moved(OLD)[0].uuid == new.uuid


@pytest.mark.parametrize(
    ("handle", "becomes"),
    [("andrew.brown", "andrew_brown"), ("@andrew", "andrew"), ("admin", "admin_2"), ("x" * 40, None), ("!", None)],
)
def test_invalid_handle_is_replaced_by_similar_one(handle: str, becomes: str | None) -> None:
    (arrival,) = moved(replace(OLD, handle=handle))

    found = here(OLD).handle
    assert found == (becomes or found)
    assert (handle in arrival.remarks[0]) is (found != handle)


def test_long_values_are_cut_and_marked() -> None:
    (arrival,) = moved(replace(OLD, display_name="N" * 100, bio="B" * 300, email="not an address"))

    found = here(OLD)
    assert (len(found.display_name), len(found.bio), found.email) == (64, 160, "")
    assert len(arrival.remarks) == 3
    assert "not an address" not in "".join(arrival.remarks)


def test_a_placeholder_is_tied_to_its_cognito_user_once_its_row_is_known() -> None:
    moved(LegacyUser(OLD.uuid, "andrewbrown", "Andrew", placeholder=True))

    (arrival,) = moved(OLD, keep_cognito_ids=False)

    assert arrival.outcome == "completed"
    user = CognitoUser("sub-new", "andrewbrown", OLD.email, True, "Andrew Brown", "CONFIRMED", True)
    assert [link.outcome for link in link_people([user])] == ["tied"]
    assert here(OLD).cognito_user_id == "sub-new"


def test_a_placeholder_who_has_signed_in_stays_as_they_are() -> None:
    moved(LegacyUser(OLD.uuid, "ghost", "A Ghost", placeholder=True))
    User.objects.filter(uuid=OLD.uuid).update(cognito_user_id="sub-andrew", email="now@cruddur.example")

    moved(OLD)

    assert (here(OLD).handle, here(OLD).email) == ("ghost", "now@cruddur.example")


def test_deleted_account_is_recognised_as_former_user() -> None:
    moved(OLD)
    User.objects.filter(uuid=OLD.uuid).update(is_active=False, deletion_asked_at=datetime(2026, 1, 1, tzinfo=UTC))

    assert moved(OLD)[0].left is True


def test_dry_run_stores_no_user_and_reports_the_same() -> None:
    people = [
        OLD,
        LegacyUser(uuid4(), "ghost", "A Ghost", placeholder=True),
        replace(OLD, uuid=UUID(int=9), handle="no"),
    ]

    rehearsed = moved(*people, dry_run=True)

    assert not User.objects.exists()
    assert [each.outcome for each in moved(*people)] == [each.outcome for each in rehearsed]
