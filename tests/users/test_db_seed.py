"""db_seed, on a real Postgres."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from pytest_django import Settings

from users.models import MOCK, User
from users.people import seeded_people

pytestmark = pytest.mark.django_db

ROOT = Path(__file__).parents[2]


def run(*arguments: str) -> str:
    out = StringIO()
    call_command("db_seed", *arguments, stdout=out, stderr=StringIO(), no_color=True, skip_checks=True)
    return out.getvalue()


def test_seed_creates_users_without_cognito_link() -> None:
    run()

    assert set(User.objects.values_list("handle", flat=True)) == {each.handle for each in seeded_people()}
    assert set(User.objects.values_list("cognito_user_id", flat=True)) == {MOCK}


def test_created_users_are_listed() -> None:
    first, heading, *rows, last = run().splitlines()

    assert first.startswith(f"database {connection.settings_dict['NAME']} on 127.0.0.1")
    assert heading.split() == ["handle", "name", "e-mail", "uuid"]
    assert len(rows) == 34
    assert rows[0].split()[:4] == ["andrewbrown", "Andrew", "Brown", "andrewbrown@cruddur.example"]
    assert last == "34 people created, 0 were there already."


def test_repeated_seed_changes_nothing() -> None:
    User.objects.create_user(handle="Bayko", display_name="Changed", cognito_user_id="sub-of-bayko")

    assert run().endswith("33 people created, 1 were there already.\n")
    assert run().splitlines()[1:] == ["0 people created, 34 were there already."]
    bayko = User.objects.get(handle="Bayko")
    assert (bayko.display_name, bayko.cognito_user_id) == ("Changed", "sub-of-bayko")


def test_programs_get_one_object() -> None:
    User.objects.create_user(handle="bayko", display_name="Bayko")

    (line,) = run("--json").splitlines()

    seeded = json.loads(line)
    andrew = User.objects.get(handle="andrewbrown")
    assert len(seeded["created"]) == 33
    assert seeded["created"][0] == {
        "handle": "andrewbrown",
        "name": "Andrew Brown",
        "email": "andrewbrown@cruddur.example",
        "uuid": str(andrew.uuid),
    }
    assert seeded["already_there"] == ["bayko"]


def test_quiet_says_nothing() -> None:
    assert run("-v0") == ""
    assert User.objects.count() == 34


def test_a_handle_that_looks_like_one_of_the_seed_s_is_a_sentence_and_seeds_nobody() -> None:
    User.objects.create_user(handle="bayk0", display_name="B")

    with pytest.raises(CommandError, match="looks like one of the seed's") as caught:
        run()

    assert caught.value.returncode == 1
    assert User.objects.count() == 1


def test_in_production_it_needs_the_database_s_name(settings: Settings) -> None:
    settings.PRODUCTION = True
    name = connection.settings_dict["NAME"]

    with pytest.raises(CommandError, match=f"--confirm {name}"):
        run()
    assert not User.objects.exists()

    assert "34 people created" in run("--confirm", name)


@pytest.mark.parametrize("production", [True, False])
def test_another_database_s_name_is_refused(settings: Settings, production: bool) -> None:
    settings.PRODUCTION = production

    with pytest.raises(CommandError, match="nobody was seeded"):
        run("--confirm", f"not{connection.settings_dict['NAME']}")
    assert not User.objects.exists()


@pytest.mark.slow
@pytest.mark.parametrize(("environment", "production"), [("production", "True"), ("local", "False")])
def test_only_the_environment_production_is_production(environment: str, production: str) -> None:
    script = "from cruddur import settings; print(settings.PRODUCTION)"

    printed = subprocess.run(
        [sys.executable, "-c", script],
        cwd=ROOT, env={"PATH": os.environ["PATH"], "CRUDDUR_ENV": environment}, stdout=subprocess.PIPE, text=True,
        check=True,
    ).stdout  # fmt: skip

    assert printed.strip() == production
