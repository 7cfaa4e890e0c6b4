"""cognito_create_user: the first administrator, made at the command line, signs in."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from urllib.parse import urlsplit

import pytest
from django.core.management import CommandError
from django.test import Client
from pytest_django import Settings

from tests.users.cognito.test_emulator_sign_in import sign_in_at_cognito
from tools.local_stack.cognito_pool import ensure_client
from users.cognito import provisioning
from users.cognito.client import CognitoError, CognitoUser, UserPool
from users.models import MOCK, User

from .conftest import signed_in_as
from .pools import add_user, new_pool, run

pytestmark = pytest.mark.django_db

COMMAND = "cognito_create_user"
ANN = ("ann", "ann@cruddur.example")
PASSWORD = "Correct-Horse-1"
Type = Callable[[str], None]


@pytest.fixture
def pool(settings: Settings) -> UserPool:
    return new_pool(settings)


@pytest.fixture
def stdin(monkeypatch: pytest.MonkeyPatch) -> Type:
    """Write to the command's standard input, as a program does."""
    return lambda text: monkeypatch.setattr("sys.stdin", io.StringIO(text))


@pytest.fixture(autouse=True)
def password(stdin: Type) -> None:
    stdin(f"{PASSWORD}\n")


@pytest.fixture
def mail(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the command take the emulator for AWS, which mails invitations."""
    monkeypatch.setattr("users.management.commands.cognito_create_user.is_loopback", lambda _url: False)


def only_user(pool: UserPool) -> CognitoUser:
    (user,) = pool.users()
    return user


def test_the_first_administrator_signs_in_and_reaches_the_admin(
    settings: Settings, pool: UserPool, client: Client
) -> None:
    app_client = ensure_client(pool.client, pool.id, settings.APP_URL)
    settings.OIDC_RP_CLIENT_ID, settings.OIDC_RP_CLIENT_SECRET = app_client["ClientId"], app_client["ClientSecret"]
    settings.OIDC_OP_ISSUER = f"https://cognito-idp.{settings.AWS_REGION}.amazonaws.com/{pool.id}"
    settings.OIDC_OP_JWKS_ENDPOINT = f"{settings.COGNITO_DOMAIN}/{pool.id}/.well-known/jwks.json"

    out, _ = run(COMMAND, *ANN, "--name", "Ann Example", "--admin", "--set-password")
    back = urlsplit(sign_in_at_cognito(client, email=ANN[1], password=PASSWORD).headers["Location"])
    client.get(f"{back.path}?{back.query}")

    assert f"sign in at {settings.APP_URL} with {ANN[1]}; the person appears here at the first sign-in." in out
    person = User.objects.get()
    assert signed_in_as(client) == person
    assert (person.handle, person.display_name, person.email) == ("ann", "Ann Example", ANN[1])
    assert client.get("/admin/").status_code == 200


def test_command_creates_a_confirmed_user_in_the_groups(pool: UserPool) -> None:
    pool.create_group("testers")

    out, _ = run(COMMAND, "@ann", ANN[1], "--group", "testers", "--admin", "--set-password")

    user = only_user(pool)
    assert (user.handle, user.name, user.email, user.email_verified) == ("ann", "ann", ANN[1], True)
    assert (user.status, user.enabled) == ("CONFIRMED", True)
    assert pool.subs_in_group("testers") == pool.subs_in_group("admins") == {user.sub}
    assert "They are in the group admins, which was made." in out
    assert not User.objects.exists()


def test_it_makes_the_group_of_moderators_too(pool: UserPool) -> None:
    run(COMMAND, *ANN, "--group", "moderators", "--set-password")

    assert pool.subs_in_group("moderators") == {only_user(pool).sub}


def test_user_is_invited_where_mail_is_sent(pool: UserPool, mail: None) -> None:
    out, _ = run(COMMAND, *ANN)

    assert only_user(pool).status == "FORCE_CHANGE_PASSWORD"
    assert f"An invitation with a temporary password is on its way to {ANN[1]}." in out


def test_on_the_local_stack_it_asks_for_a_password_instead(pool: UserPool) -> None:
    with pytest.raises(CommandError, match="mails no invitations: add --set-password"):
        run(COMMAND, *ANN, "--admin")

    assert list(pool.users()) == []
    assert pool.groups() == []


def test_where_the_e_mail_is_no_username_the_handle_is(settings: Settings) -> None:
    pool = new_pool(settings, by_email=False)

    run(COMMAND, *ANN, "--set-password")

    user = only_user(pool)
    assert (user.username, user.email, user.status) == ("ann", ANN[1], "CONFIRMED")


# --- Again ----------------------------------------------------------------------------------------------------------


def test_the_second_time_it_completes_what_is_there(pool: UserPool) -> None:
    sub = add_user(pool, "Ann", email="Ann@cruddur.example", confirmed=False)

    out, _ = run(COMMAND, "ann", "Ann@cruddur.example", "--admin", "--set-password")

    user = only_user(pool)
    assert (user.sub, user.handle, user.status) == (sub, "Ann", "CONFIRMED")
    assert pool.subs_in_group("admins") == {sub}
    assert "is in Cognito already (FORCE_CHANGE_PASSWORD)." in out


def test_command_can_be_repeated_without_a_password(pool: UserPool) -> None:
    run(COMMAND, *ANN, "--admin", "--set-password")
    before = only_user(pool)

    run(COMMAND, *ANN, "--admin")

    assert only_user(pool) == before
    assert pool.subs_in_group("admins") == {before.sub}


def test_it_says_that_the_temporary_password_still_counts(pool: UserPool) -> None:
    add_user(pool, "ann", confirmed=False, verified=False)

    out, _ = run(COMMAND, *ANN)

    assert "still the temporary one" in out
    assert "Their e-mail is not verified" in out


def test_next_attempt_finds_the_account_begun_before(pool: UserPool, monkeypatch: pytest.MonkeyPatch) -> None:
    def stopped(*_arguments: str) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(UserPool, "add_to_group", stopped)
        with pytest.raises(SystemExit) as caught:
            run(COMMAND, *ANN, "--admin", "--set-password")
    assert caught.value.code == 130

    run(COMMAND, *ANN, "--admin")

    assert pool.subs_in_group("admins") == {only_user(pool).sub}


def test_user_who_signed_in_meanwhile_is_named(pool: UserPool) -> None:
    run(COMMAND, *ANN, "--set-password")
    User.objects.create_user(handle="ann", display_name="Ann", cognito_user_id=only_user(pool).sub)

    out, _ = run(COMMAND, *ANN, "--admin")

    assert out.endswith("they are @ann here.\n")


def test_waiting_user_is_to_be_linked(pool: UserPool) -> None:
    User.objects.create_user(handle="ann", display_name="Ann", email=ANN[1], cognito_user_id=MOCK)

    out, _ = run(COMMAND, *ANN, "--set-password")

    assert "@ann waits here for them: run `manage.py update_cognito_user_ids`" in out
    assert "1 people tied" in run("update_cognito_user_ids")[0]


# --- Refused --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("handle", "email", "sentence"),
    [
        ("not a handle", ANN[1], "letters, digits and underscores"),
        ("admin", ANN[1], "kept for Cruddur itself"),
        ("ann", "no e-mail", "no e-mail is no e-mail address"),
        ("ann", f"ann@{'x' * 60}.{'y' * 60}.example", "at most 128 characters"),
        ("tied", ANN[1], "@tied is here already, tied to another Cognito user"),
        ("Tied", ANN[1], "is here already"),
        ("t1ed", ANN[1], "looks like @tied"),
        ("waits", ANN[1], "@waits waits here for a Cognito user with another e-mail"),
        ("there", ANN[1], "A Cognito user with another e-mail has the handle there"),
        ("ann", "there@cruddur.example", "has the handle there: give that handle"),
        ("ann", "nameless@cruddur.example", "has no handle"),
        ("disabled", "disabled@cruddur.example", "disabled@cruddur.example is disabled"),
    ],
)
def test_it_refuses_before_anything_is_made(pool: UserPool, handle: str, email: str, sentence: str) -> None:
    User.objects.create_user(handle="tied", display_name="T", cognito_user_id="a-sub")
    User.objects.create_user(handle="waits", display_name="W", email="w@cruddur.example", cognito_user_id=MOCK)
    for there in ("there", "disabled"):
        add_user(pool, there)
    add_user(pool, "", email="nameless@cruddur.example")
    pool.client.admin_disable_user(UserPoolId=pool.id, Username="disabled@cruddur.example")
    before = list(pool.users())

    with pytest.raises(CommandError, match=sentence) as caught:
        run(COMMAND, handle, email, "--admin", "--set-password")

    assert caught.value.returncode == 1
    assert list(pool.users()) == before
    assert pool.groups() == []


def test_it_makes_no_group_but_those_that_give_rights(pool: UserPool) -> None:
    pool.create_group("testers")

    with pytest.raises(CommandError, match=r"no group nobodys in this pool\. There are: admins, moderators, testers\."):
        run(COMMAND, *ANN, "--group", "nobodys", "--set-password")

    assert list(pool.users()) == []


def test_a_password_against_the_rules_is_a_sentence_and_makes_nobody(pool: UserPool, stdin: Type) -> None:
    stdin("short\n")

    with pytest.raises(CommandError, match="does not accept the password: Password must have length") as caught:
        run(COMMAND, *ANN, "--set-password")

    assert "short" not in str(caught.value)
    assert list(pool.users()) == []


def test_missing_password_is_rejected(pool: UserPool, stdin: Type) -> None:
    stdin("")

    with pytest.raises(CommandError, match="No password was given"):
        run(COMMAND, *ANN, "--set-password")


def test_it_says_when_somebody_else_made_the_user_at_this_moment(pool: UserPool) -> None:
    account = provisioning.look_up_account(pool, handle=ANN[0], email=ANN[1], name="", groups=[])
    add_user(pool, "ann")

    with pytest.raises(CognitoError, match="with this e-mail or handle already"):
        provisioning.complete_account(pool, account, password=PASSWORD)


# --- The password, and what is told ---------------------------------------------------------------------------------


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def type_at_the_terminal(monkeypatch: pytest.MonkeyPatch, *answers: str) -> None:
    typed = iter(answers)
    monkeypatch.setattr("sys.stdin", Terminal())
    monkeypatch.setattr("users.management.commands.cognito_create_user.getpass", lambda _prompt: next(typed))


def test_at_a_terminal_the_password_is_typed_twice(pool: UserPool, monkeypatch: pytest.MonkeyPatch) -> None:
    type_at_the_terminal(monkeypatch, PASSWORD, PASSWORD)

    run(COMMAND, *ANN, "--set-password")

    assert only_user(pool).status == "CONFIRMED"


def test_mismatched_passwords_create_no_user(pool: UserPool, monkeypatch: pytest.MonkeyPatch) -> None:
    type_at_the_terminal(monkeypatch, PASSWORD, PASSWORD.lower())

    with pytest.raises(CommandError, match="The two passwords differ"):
        run(COMMAND, *ANN, "--set-password")

    assert list(pool.users()) == []


def test_programs_get_one_object(settings: Settings, pool: UserPool) -> None:
    out, err = run(COMMAND, *ANN, "--admin", "--set-password", "--json")

    assert json.loads(out) == {
        "handle": "ann",
        "email": ANN[1],
        "sub": only_user(pool).sub,
        "created": True,
        "invited": False,
        "password_set": True,
        "groups": ["admins"],
        "person": None,
        "sign_in_at": settings.APP_URL,
    }
    assert PASSWORD not in out + err


def test_quiet_prints_nothing(pool: UserPool) -> None:
    assert run(COMMAND, *ANN, "--set-password", "-v0") == ("", "")


def test_no_log_has_the_password(pool: UserPool, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")

    run(COMMAND, *ANN, "--set-password", "-v3")

    assert PASSWORD not in caplog.text
