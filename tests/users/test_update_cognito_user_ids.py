"""update_cognito_user_ids links users to their Cognito users and creates missing users on request."""

from __future__ import annotations

import json
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings

from users.cognito.client import PAGE_SIZE, UserPool
from users.models import MOCK, User

from .pools import add_user, new_pool, run

pytestmark = pytest.mark.django_db

COMMAND = "update_cognito_user_ids"


def waiting(handle: str, email: str = "") -> User:
    return User.objects.create_user(
        handle=handle, display_name=handle, email=email or f"{handle}@cruddur.example", cognito_user_id=MOCK
    )


def everyone() -> list[dict[str, Any]]:
    """Return all rows of the users table."""
    return [dict(row) for row in User.objects.order_by("pk").values()]


def rows(*arguments: str) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Return the objects written for programs, one per user, and the summary."""
    out, _ = run(COMMAND, "--json", *arguments)
    *users, last = map(json.loads, out.splitlines())
    return users, last


@pytest.fixture
def pool(settings: Settings) -> UserPool:
    """Create users of the pool: bea and cleo wait; bea's user has her e-mail, cleo's another one.

    dan has no row here, and one user has no handle.
    """
    pool = new_pool(settings)
    add_user(pool, "bea")
    add_user(pool, "cleo", email="another@cruddur.example")
    add_user(pool, "dan")
    add_user(pool, "", email="x@cruddur.example")
    waiting("bea")
    waiting("cleo")
    return pool


def test_it_reads_every_page_and_no_user_without_a_handle_stops_it(settings: Settings) -> None:
    """The old command read the first page and stopped at a user without a handle, so people stayed at 'MOCK'."""
    pool = new_pool(settings)
    assert PAGE_SIZE * 2 < 130
    for number in range(130):
        if number % 13 == 0:
            add_user(pool, "", email=f"none_{number}@cruddur.example", confirmed=False)
        else:
            add_user(pool, f"handle_{number}", confirmed=False)
            waiting(f"handle_{number}")

    out, _ = run(COMMAND)

    assert not User.objects.filter(cognito_user_id=MOCK).exists()
    assert "120 people tied, 0 made, 0 were tied already, 0 mismatches" in out
    assert "10 without a handle; 0 people wait for Cognito." in out


def test_linked_and_skipped_users_are_listed(pool: UserPool) -> None:
    out, _ = run(COMMAND)

    bea, cleo = User.objects.order_by("handle")
    assert cleo.cognito_user_id == MOCK
    assert out.splitlines()[1] == f"  @bea is now {bea.cognito_user_id}."
    assert out.splitlines()[2].startswith("  @cleo is not ")
    assert out.splitlines()[2].endswith("The Cognito user has another e-mail.")
    assert out.splitlines()[3:] == [
        "1 people tied, 0 made, 0 were tied already, 1 mismatches, 1 Cognito users without a person here, "
        "1 without a handle; 1 people wait for Cognito."
    ]


def test_repeated_run_changes_nothing(pool: UserPool) -> None:
    run(COMMAND, "--create-missing")
    before = everyone()

    out, _ = run(COMMAND, "--create-missing")

    assert everyone() == before
    assert "0 people tied, 0 made, 2 were tied already, 1 mismatches" in out


def test_a_dry_run_changes_nothing_and_says_what_would_happen(pool: UserPool) -> None:
    before = everyone()

    out, _ = run(COMMAND, "--dry-run", "--create-missing")

    assert everyone() == before
    assert "@bea would be tied to " in out
    assert "@dan would be made for " in out
    assert "1 people would be tied, 1 made, " in out
    assert out.endswith("1 people wait for Cognito. Nothing was changed.\n")


def test_dry_run_predicts_the_result(pool: UserPool) -> None:
    add_user(pool, "Dan", email="dan2@cruddur.example")
    would = {"would_tie": "tied", "would_create": "created"}

    rehearsed, _ = rows("--dry-run", "--create-missing")
    done, _ = rows("--create-missing")

    foretold = [(row["sub"], would.get(row["outcome"], row["outcome"]), row["reason"]) for row in rehearsed]
    assert [(row["sub"], row["outcome"], row["reason"]) for row in done] == foretold


def test_it_makes_people_when_told_and_says_why_not_of_others(pool: UserPool) -> None:
    add_user(pool, "eve", confirmed=False)
    add_user(pool, "bea_")  # looks like nobody
    add_user(pool, "admin")

    out, _ = run(COMMAND, "--create-missing")

    assert set(User.objects.values_list("handle", flat=True)) == {"bea", "bea_", "cleo", "dan"}
    assert "@dan was made for " in out
    (eve,) = [line for line in out.splitlines() if "@eve" in line]
    assert eve.endswith("The Cognito user is not confirmed (FORCE_CHANGE_PASSWORD).")
    (admin,) = [line for line in out.splitlines() if "@admin" in line]
    assert "kept for Cruddur itself" in admin


def test_programs_get_an_object_a_user_and_the_numbers(pool: UserPool) -> None:
    users, last = rows("--create-missing")

    assert [(user["handle"], user["outcome"]) for user in users] == [
        ("bea", "tied"),
        ("cleo", "mismatch"),
        ("dan", "created"),
        ("", "no_handle"),
    ]
    assert users[0].keys() == {"outcome", "reason", "handle", "email", "sub", "person", "person_uuid"}
    assert users[0]["person_uuid"] == str(User.objects.get(handle="bea").uuid)
    assert users[1]["reason"] == "The Cognito user has another e-mail."
    assert last == {
        "tied": 1,
        "would_tie": 0,
        "already": 0,
        "created": 1,
        "would_create": 0,
        "mismatch": 1,
        "unknown": 0,
        "no_handle": 1,
        "replaced_lost": 0,
        "waiting": ["cleo"],
        "dry_run": False,
    }


def test_verbosely_it_lists_who_still_waits_and_who_was_skipped(pool: UserPool) -> None:
    out, _ = run(COMMAND, "-v2")

    assert "  @cleo waits." in out.splitlines()
    assert "x@cruddur.example (" in out


def test_quiet_prints_nothing(pool: UserPool) -> None:
    assert run(COMMAND, "-v0") == ("", "")


def test_next_run_completes_what_ctrl_c_interrupted(pool: UserPool) -> None:
    class Interrupted(StringIO):
        def write(self, text: str) -> int:
            if "@bea is now" in text:
                raise KeyboardInterrupt
            return super().write(text)

    err = StringIO()
    with pytest.raises(SystemExit) as caught:
        call_command(COMMAND, "--create-missing", stdout=Interrupted(), stderr=err)

    assert caught.value.code == 130
    assert "run it again for the rest" in err.getvalue()
    assert User.objects.exclude(cognito_user_id=MOCK).get().handle == "bea"
    assert "0 people tied, 1 made, 1 were tied already" in run(COMMAND, "--create-missing")[0]


def test_output_has_no_control_characters(settings: Settings) -> None:
    pool = new_pool(settings)
    add_user(pool, "\x1b[31mred", email="x@cruddur.example")

    out, _ = run(COMMAND, "--create-missing")

    assert "\x1b" not in out
    assert "was not made" in out


def test_users_are_linked_to_a_new_pool_after_deletion_of_the_old(pool: UserPool) -> None:
    run(COMMAND)
    User.objects.filter(handle="bea").update(cognito_user_id="of-the-deleted-pool")

    out, _ = run(COMMAND, "--replace-lost")

    assert "1 people tied, 0 made (the pool is another one: it has no longer the users that 1 of them were), " in out
    assert rows("--replace-lost")[1]["replaced_lost"] == 0


@pytest.mark.parametrize(
    "elsewhere", [{"COGNITO_ENDPOINT_URL": None}, {"COGNITO_ENDPOINT_URL": "http://10.0.0.1"}, {"PRODUCTION": True}]
)
def test_replacing_lost_users_is_refused_off_this_machine(
    pool: UserPool, settings: Settings, elsewhere: dict[str, Any]
) -> None:
    for name, value in elsewhere.items():
        setattr(settings, name, value)
    before = everyone()

    with pytest.raises(CommandError, match="for a pool and a database on this machine"):
        call_command(COMMAND, "--replace-lost", stdout=StringIO())

    assert everyone() == before
