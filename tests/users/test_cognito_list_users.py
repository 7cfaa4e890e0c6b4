"""cognito_list_users: who is in the pool, and who they are here."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings

from users.cognito.client import UserPool
from users.models import User

from .pools import add_user, new_pool, run

pytestmark = pytest.mark.django_db


@pytest.fixture
def pool(settings: Settings) -> UserPool:
    """Create ann, who is linked; bea, who waits; cleo, who waits with another e-mail; dan, who has no row here."""
    pool = new_pool(settings)
    sub = add_user(pool, "ann", name="Ann [bold]")
    add_user(pool, "bea", confirmed=False)
    add_user(pool, "cleo", verified=False)
    add_user(pool, "dan")
    for handle in ("bea", "cleo"):
        User.objects.create_user(handle=handle, display_name=handle, email=f"{handle}@cruddur.example")
    User.objects.create_user(handle="ann_here", display_name="Ann", cognito_user_id=sub)
    for group in ("admins", "moderators", "testers"):
        pool.create_group(group)
        if group != "moderators":
            pool.add_to_group(sub, group)
    return pool


def rows(*arguments: str) -> dict[str, dict[str, Any]]:
    """Return the rows written for programs, by handle."""
    out, _ = run("cognito_list_users", "--json", *arguments)
    return {row["handle"]: row for row in map(json.loads, out.splitlines())}


def test_it_shows_state_groups_and_person_of_each(pool: UserPool) -> None:
    out, _ = run("cognito_list_users")

    _, heading, ann, bea, cleo, dan, summary = out.splitlines()
    assert heading.split() == (["handle", "name", "e-mail", "state", "groups", "person", "created", "modified", "sub"])
    assert ann.split()[:8] == [
        "ann",
        "Ann",
        "[bold]",
        "ann@cruddur.example",
        "CONFIRMED",
        "admins,",
        "testers",
        "@ann_here",
    ]
    assert "FORCE_CHANGE_PASSWORD" in bea
    assert "@bea waits " in bea
    assert "cleo@cruddur.example (not verified)" in cleo
    assert "@cleo waits: The Cognito user's e-mail is not verified." in cleo
    assert "@" not in dan.replace("dan@cruddur.example", "")
    states, _, matches = summary.partition("; ")
    assert states == "4 users: 3 confirmed, 3 verified, 1 in admins, 0 in moderators, 1 in testers"
    assert matches == "1 tied, 2 waiting, 1 unmatched."


def test_disabled_users_are_marked(pool: UserPool) -> None:
    pool.client.admin_disable_user(UserPoolId=pool.id, Username="dan@cruddur.example")

    out, _ = run("cognito_list_users")

    assert "CONFIRMED, disabled" in out
    assert rows()["dan"]["enabled"] is False


def test_programs_get_everything(pool: UserPool) -> None:
    ann = rows()["ann"]

    person = User.objects.get(handle="ann_here")
    assert ann["created_at"].endswith("Z")
    assert ann["modified_at"] >= ann["created_at"]
    del ann["created_at"], ann["modified_at"]
    assert ann == {
        "handle": "ann",
        "name": "Ann [bold]",
        "email": "ann@cruddur.example",
        "email_verified": True,
        "status": "CONFIRMED",
        "enabled": True,
        "groups": ["admins", "testers"],
        "match": "tied",
        "person": "ann_here",
        "person_uuid": str(person.uuid),
        "reason": "",
        "username": person.cognito_user_id,
        "sub": person.cognito_user_id,
    }


def test_programs_get_waiting_users_with_reasons(pool: UserPool) -> None:
    found = {handle: (row["match"], row["person"], row["reason"]) for handle, row in rows().items()}

    assert found["bea"] == ("waiting", "bea", "")
    assert found["cleo"] == ("waiting", "cleo", "The Cognito user's e-mail is not verified.")
    assert found["dan"][:2] == ("none", None)


def test_list_can_be_limited_to_a_group(pool: UserPool) -> None:
    out, _ = run("cognito_list_users", "--group", "testers")

    assert rows("--group", "testers").keys() == {"ann"}
    assert out.splitlines()[-1].startswith("1 of 4 users: 1 confirmed, 1 verified, 1 in testers; ")


def test_list_can_be_limited_to_users_without_a_row(pool: UserPool) -> None:
    assert rows("--unmatched").keys() == {"dan"}


def test_unknown_group_lists_existing_groups(pool: UserPool) -> None:
    with pytest.raises(CommandError, match=r"no group nobody in this pool\. There are: admins, moderators, testers"):
        run("cognito_list_users", "--group", "nobody")


def test_quiet_leaves_the_table(pool: UserPool) -> None:
    out, err = run("cognito_list_users", "-v0")

    assert [line.split()[0] for line in out.splitlines()] == ["handle", "ann", "bea", "cleo", "dan"]
    assert err == ""


def test_empty_pool_is_listed(settings: Settings) -> None:
    new_pool(settings)

    out, _ = run("cognito_list_users")

    assert out.splitlines()[-1].startswith("0 users: 0 confirmed")


def test_user_without_handle_is_listed_without_control_characters(settings: Settings) -> None:
    pool = new_pool(settings)
    add_user(pool, "", email="x@cruddur.example", name="\x1b[31mred")

    out, _ = run("cognito_list_users")

    assert "\x1b" not in out
    assert "x@cruddur.example" in out


def test_listing_makes_no_request_per_user(pool: UserPool, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    pool.client.meta.events.register("before-call.cognito-idp.*", lambda model, **_: asked.append(model.name))
    monkeypatch.setattr("users.cognito.pool.client_module.connect", lambda **_: pool.client)

    call_command("cognito_list_users", verbosity=0)

    assert asked == ["ListUsers", "ListGroups", *["ListUsersInGroup"] * 3]
