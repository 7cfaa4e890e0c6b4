"""The door to Cognito: all pages, what is asked of it, and what its errors become."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from pytest_django import Settings

from tests.users.pools import add_user, new_pool
from tests.users.provider import Provider
from users.cognito import client as client_module
from users.cognito.client import CognitoError, UserPool

POOL_ID = "us-east-1_Pool"


@pytest.fixture
def provider() -> Iterator[Provider]:
    with Provider() as provider:
        yield provider


def pool_at(provider: Provider, pool_id: str = POOL_ID) -> UserPool:
    return UserPool(client_module.connect(endpoint_url=provider.url, region="us-east-1"), pool_id)


def test_users_of_all_pages_are_listed(settings: Settings) -> None:
    pool = new_pool(settings)
    handles = {f"handle_{number}" for number in range(client_module.PAGE_SIZE * 2 + 10)}
    for handle in handles:
        add_user(pool, handle, verified=False, confirmed=False)

    users = list(pool.users())

    assert {user.handle for user in users} == handles
    assert len(users) == len(handles)
    assert not any(user.email_verified for user in users)


def test_user_is_read_with_attributes_and_state(settings: Settings) -> None:
    pool = new_pool(settings)
    sub = add_user(pool, "ann", name="Ann")

    (user,) = pool.users()

    assert (user.sub, user.username, user.handle, user.name) == (sub, sub, "ann", "Ann")
    assert (user.email, user.email_verified) == ("ann@cruddur.example", True)
    assert (user.status, user.enabled) == ("CONFIRMED", True)
    assert user.created_at is not None
    assert user.created_at.tzinfo is UTC
    assert user.modified_at is not None
    assert abs((datetime.now(UTC) - user.modified_at).total_seconds()) < 60


def test_users_are_found_by_attribute(settings: Settings) -> None:
    pool = new_pool(settings)
    add_user(pool, "ann")
    add_user(pool, "bea")

    assert [user.handle for user in pool.users(where=("email", "bea@cruddur.example"))] == ["bea"]
    assert list(pool.users(where=("preferred_username", 'a" or "b'))) == []


def test_filter_value_is_escaped() -> None:
    assert client_module.equals("email", 'a"b\\c') == 'email = "a\\"b\\\\c"'


def test_groups_and_members_of_all_pages_are_listed(settings: Settings) -> None:
    pool = new_pool(settings)
    names = [f"group-{number:03}" for number in range(client_module.PAGE_SIZE + 5)]
    for name in names:
        pool.create_group(name)
    subs = {add_user(pool, f"handle_{number}", confirmed=False) for number in range(client_module.PAGE_SIZE + 5)}
    for sub in subs:
        pool.add_to_group(sub, "group-007")

    assert pool.groups() == names
    assert pool.subs_in_group("group-007") == subs
    assert pool.subs_in_group("nobody") == frozenset()


def test_a_group_and_a_membership_can_be_made_twice(settings: Settings) -> None:
    pool = new_pool(settings)
    sub = add_user(pool, "ann")

    for _ in range(2):
        pool.create_group("admins")
        pool.add_to_group(sub, "admins")

    assert pool.groups() == ["admins"]
    assert pool.subs_in_group("admins") == {sub}


@pytest.mark.parametrize("by_email", [True, False])
def test_it_knows_whether_the_e_mail_is_the_username(settings: Settings, by_email: bool) -> None:
    assert new_pool(settings, by_email=by_email).signs_in_by_email() is by_email


@pytest.mark.parametrize(
    ("password", "mail"),
    [(None, {"DesiredDeliveryMediums": ["EMAIL"]}), ("Secret-1", {"MessageAction": "SUPPRESS"})],
)
def test_an_invitation_is_mailed_never_texted_unless_there_is_a_password(
    provider: Provider, password: str | None, mail: dict[str, object]
) -> None:
    provider.answer = (200, {"User": {"Username": "a-sub", "Attributes": []}})
    pool, asked = pool_at(provider), {}
    pool.client.meta.events.register(
        "provide-client-params.cognito-idp.AdminCreateUser", lambda params, **_: asked.update(params)
    )

    pool.create_user(username="a@b.example", handle="ann", email="a@b.example", name="Ann", password=password)

    assert {key: asked[key] for key in ("DesiredDeliveryMediums", "MessageAction") if key in asked} == mail
    assert asked.get("TemporaryPassword") == password


@pytest.mark.parametrize(
    ("code", "message", "sentence"),
    [
        ("ResourceNotFoundException", "User pool us-east-1_Pool does not exist.", "no such user pool"),
        ("ResourceNotFoundException", "Group not found.", "no such group"),
        ("InvalidParameterException", "Value at 'userPoolId' failed to satisfy constraint", "no such user pool"),
        ("InvalidParameterException", "Username should be an email.", "a value: Username should be an email"),
        ("AccessDeniedException", "", "lack the permission cognito-idp:ListUsers"),
        ("NotAuthorizedException", "", "lack the permission cognito-idp:ListUsers"),
        ("ExpiredTokenException", "", "expired"),
        ("UnrecognizedClientException", "", "not valid"),
        ("InvalidSignatureException", "", "this machine's clock"),
        ("TooManyRequestsException", "", "throttling"),
        ("InternalErrorException", "", "is failing at the moment"),
        ("UsernameExistsException", "", "with this e-mail or handle already"),
        (
            "InvalidPasswordException",
            "Password did not conform with policy: Password not long enough",
            "the password: Password not long enough. Choose another",
        ),
        ("SomethingNewException", "", "Cognito refused: SomethingNewException"),
    ],
)
def test_refusal_of_cognito_is_one_sentence(provider: Provider, code: str, message: str, sentence: str) -> None:
    provider.answer = (400, {"__type": code, "message": message})

    with pytest.raises(CognitoError, match=sentence):
        list(pool_at(provider).users())


def test_refusal_is_reported_without_arn(provider: Provider) -> None:
    provider.answer = (400, {"__type": "AccessDeniedException", "message": "arn:aws:iam::1:user/secret may not"})

    with pytest.raises(CognitoError) as caught:
        list(pool_at(provider).users())
    assert "arn" not in str(caught.value)


def test_pool_in_another_region_is_reported(provider: Provider) -> None:
    provider.answer = (400, {"__type": "ResourceNotFoundException", "message": "does not exist"})

    with pytest.raises(CognitoError, match=r"in us-east-1\. Its id says eu-west-1: set AWS_REGION"):
        list(pool_at(provider, "eu-west-1_Pool").users())


def test_unreachable_cognito_is_reported(provider: Provider) -> None:
    pool = pool_at(provider)
    provider.stop()

    with pytest.raises(CognitoError, match="does not answer"):
        list(pool.users())


def test_invalid_value_is_reported(provider: Provider) -> None:
    with pytest.raises(CognitoError, match="not as Cognito takes it: Invalid length for parameter UserPoolId"):
        list(pool_at(provider, "").users())


def test_unknown_profile_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "nobodys")

    with pytest.raises(CognitoError, match="no AWS profile nobodys"):
        client_module.connect(endpoint_url=None, region="us-east-1")


def test_invalid_region_is_reported(provider: Provider) -> None:
    with pytest.raises(CognitoError, match="AWS_REGION is no region"):
        client_module.connect(endpoint_url=None, region="not a region")


def test_missing_credentials_are_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, "/nonexistent")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    client = client_module.connect(endpoint_url="http://192.0.2.1", region="us-east-1")

    with pytest.raises(CognitoError, match="No AWS credentials"):
        list(UserPool(client, POOL_ID).users())
