import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tools.local_stack.aws import AwsEmulator
from tools.local_stack.cognito_pool import POOL_NAME, Pool, ensure_pool, handles, statuses_by_email
from tools.local_stack.problem import Problem
from users.cognito import client as client_module

if TYPE_CHECKING:
    from types_boto3_cognito_idp import CognitoIdentityProviderClient

REGION = "us-east-1"


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AwsEmulator]:
    emulator = AwsEmulator(tmp_path_factory.mktemp("pool") / "aws", persist=False)
    emulator.start()
    yield emulator
    emulator.stop()


def ensure(emulator: AwsEmulator, app_url: str = "http://localhost:8000") -> Pool:
    return ensure_pool(endpoint_url=emulator.url, public_url=emulator.public_url, region=REGION, app_urls=[app_url])


def in_group(client: "CognitoIdentityProviderClient", pool_id: str, group: str) -> list[str]:
    users = client.list_users_in_group(UserPoolId=pool_id, GroupName=group)["Users"]
    return [client_module.cognito_user(user).handle for user in users]


def test_it_makes_everyone_once_however_often_it_runs(emulator: AwsEmulator) -> None:
    first = ensure(emulator)
    second = ensure(emulator)

    assert first == second
    client = client_module.connect(endpoint_url=emulator.url, region=REGION)
    assert [pool["Name"] for pool in client.list_user_pools(MaxResults=10)["UserPools"]] == [POOL_NAME]
    statuses = statuses_by_email(client, first.pool_id)
    assert set(statuses) == {f"{handle}@cruddur.example" for handle in handles()}
    assert set(statuses.values()) == {"CONFIRMED"}
    assert {group: in_group(client, first.pool_id, group) for group in ("admins", "moderators")} == {
        "admins": ["andrewbrown"],
        "moderators": ["londo"],
    }


def test_it_completes_people_whom_an_interrupted_start_left_without_a_password(
    emulator: AwsEmulator, tmp_path: Path
) -> None:
    pool = ensure(emulator)
    client = client_module.connect(endpoint_url=emulator.url, region=REGION)
    client.admin_create_user(
        UserPoolId=pool.pool_id,
        Username="late@cruddur.example",
        MessageAction="SUPPRESS",
        UserAttributes=[{"Name": "email", "Value": "late@cruddur.example"}],
    )
    people = tmp_path / "people.json"
    people.write_text(json.dumps([{"handle": "late", "display_name": "Late", "email": "late@cruddur.example"}]))

    ensure_pool(
        endpoint_url=emulator.url, public_url=emulator.public_url, region=REGION, app_urls=["http://x"], people=people
    )

    assert statuses_by_email(client, pool.pool_id)["late@cruddur.example"] == "CONFIRMED"
    client.admin_delete_user(UserPoolId=pool.pool_id, Username="late@cruddur.example")


def test_its_addresses_follow_the_port_of_the_site(emulator: AwsEmulator) -> None:
    ensure(emulator, "http://localhost:8000")

    pool = ensure(emulator, "http://localhost:9000")

    client = client_module.connect(endpoint_url=emulator.url, region=REGION)
    found = client.describe_user_pool_client(UserPoolId=pool.pool_id, ClientId=pool.client_id)["UserPoolClient"]
    assert found["CallbackURLs"] == ["http://localhost:9000/oidc/callback/"]
    assert found["LogoutURLs"] == ["http://localhost:9000/"]
    assert found["ClientSecret"] == pool.client_secret
    assert found["AllowedOAuthFlows"] == ["code"]


def test_it_never_touches_a_pool_that_is_not_on_this_machine() -> None:
    with pytest.raises(Problem, match="on a local emulator only"):
        ensure_pool(
            endpoint_url="https://cognito-idp.us-east-1.amazonaws.com", public_url="", region=REGION, app_urls=[""]
        )
