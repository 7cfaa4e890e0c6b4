"""The door to Cognito: all pages, and what its errors become."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.conf import settings

from users import cognito
from users.cognito import CognitoError

from .provider import Provider


@pytest.fixture
def provider() -> Iterator[Provider]:
    with Provider() as provider:
        yield provider


def test_it_lists_the_users_of_all_pages() -> None:
    client = cognito.connect(endpoint_url=settings.COGNITO_ENDPOINT_URL, region=settings.AWS_REGION)
    pool_id = client.create_user_pool(PoolName="many")["UserPool"]["Id"]
    for number in range(cognito.PAGE_SIZE + 5):
        client.admin_create_user(
            UserPoolId=pool_id,
            Username=f"user{number}",
            UserAttributes=[{"Name": "preferred_username", "Value": f"handle_{number}"}],
            MessageAction="SUPPRESS",
        )

    users = list(cognito.list_users(client, pool_id=pool_id))

    assert {user.handle for user in users} == {f"handle_{number}" for number in range(cognito.PAGE_SIZE + 5)}
    assert not any(user.email_verified for user in users)


def test_it_knows_who_is_in_a_group() -> None:
    client = cognito.connect(endpoint_url=settings.COGNITO_ENDPOINT_URL, region=settings.AWS_REGION)
    pool_id = settings.COGNITO_USER_POOL_ID

    subs = cognito.subs_in_group(client, pool_id=pool_id, group="admins")

    handles = {user.sub: user.handle for user in cognito.list_users(client, pool_id=pool_id)}
    assert [handles[sub] for sub in subs] == ["andrewbrown"]
    assert cognito.subs_in_group(client, pool_id=pool_id, group="nobody") == frozenset()


@pytest.mark.parametrize(
    ("code", "sentence"),
    [
        ("ResourceNotFoundException", "no such user pool"),
        ("InvalidParameterException", "no such user pool"),
        ("AccessDeniedException", "AWS refused"),
        ("ExpiredTokenException", "expired"),
        ("UnrecognizedClientException", "not valid"),
        ("SomethingNewException", "Cognito refused: SomethingNewException"),
    ],
)
def test_it_says_in_a_sentence_what_cognito_refused(provider: Provider, code: str, sentence: str) -> None:
    provider.answer = (400, {"__type": code, "message": "arn:aws:secret"})
    client = cognito.connect(endpoint_url=provider.url, region="us-east-1")

    with pytest.raises(CognitoError, match=sentence):
        list(cognito.list_users(client, pool_id="us-east-1_Pool"))


def test_it_says_that_cognito_does_not_answer(provider: Provider) -> None:
    client = cognito.connect(endpoint_url=provider.url, region="us-east-1")
    provider.stop()

    with pytest.raises(CognitoError, match="does not answer"):
        list(cognito.list_users(client, pool_id="us-east-1_Pool"))


@pytest.mark.parametrize("pool_id", ["", "no pool"])
def test_it_says_that_the_pools_name_is_none(provider: Provider, pool_id: str) -> None:
    provider.answer = (400, {"__type": "InvalidParameterException"})
    client = cognito.connect(endpoint_url=provider.url, region="us-east-1")

    with pytest.raises(CognitoError, match="COGNITO_USER_POOL_ID"):
        list(cognito.list_users(client, pool_id=pool_id))


def test_it_says_that_there_are_no_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, "/nonexistent")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    client = cognito.connect(endpoint_url="http://192.0.2.1", region="us-east-1")

    with pytest.raises(CognitoError, match="No AWS credentials"):
        list(cognito.list_users(client, pool_id="us-east-1_Pool"))
