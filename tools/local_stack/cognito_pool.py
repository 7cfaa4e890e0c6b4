"""The user pool of the local stack: client, domain, groups and the people of messaging/seed/people.json.

Compares with the existing pool and writes only differences, so it completes a partly created pool.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict

from cruddur.net import is_loopback
from users.cognito import client as client_module

from .aws import ROOT
from .problem import Problem

if TYPE_CHECKING:
    from types_boto3_cognito_idp import CognitoIdentityProviderClient
    from types_boto3_cognito_idp.type_defs import UserPoolClientTypeTypeDef

POOL_NAME = "cruddur-users"
CLIENT_NAME = "cruddur-web"
DOMAIN = "cruddur-local"
MEMBERS = {"admins": ("andrewbrown",), "moderators": ("londo",)}
"""The groups that grant rights, with the handles of their members."""
PASSWORD = "Cruddur123!"  # noqa: S105 - printed by `make run`, for the emulator alone
PEOPLE = ROOT / "messaging" / "seed" / "people.json"


class Person(TypedDict):
    handle: str
    display_name: str
    email: str


@dataclass(frozen=True, kw_only=True)
class Pool:
    """The settings that the site needs for signing in with a pool."""

    pool_id: str
    client_id: str
    client_secret: str
    base_url: str

    def environment(self) -> dict[str, str]:
        """Return the variables for cruddur/settings.py."""
        return {
            "COGNITO_USER_POOL_ID": self.pool_id,
            "COGNITO_DOMAIN": self.base_url,
            "OIDC_RP_CLIENT_ID": self.client_id,
            "OIDC_RP_CLIENT_SECRET": self.client_secret,
            "OIDC_OP_JWKS_ENDPOINT": f"{self.base_url}/{self.pool_id}/.well-known/jwks.json",
        }


def ensure_pool(
    *, endpoint_url: str, public_url: str, region: str, app_urls: Sequence[str], people: Path = PEOPLE
) -> Pool:
    """Make or complete the pool on an emulator, for sites of these origins. Never for anything but loopback."""
    if not is_loopback(endpoint_url):
        raise Problem(f"A user pool is made on a local emulator only, never at {endpoint_url}: set OIDC_RP_CLIENT_ID.")
    client = client_module.connect(endpoint_url=endpoint_url, region=region)
    pool_id = find_pool(client) or create_pool(client)
    app_client = ensure_client(client, pool_id, *app_urls)
    ensure_domain(client, pool_id)
    ensure_people(client, pool_id, json.loads(people.read_text()))
    return Pool(
        pool_id=pool_id,
        client_id=app_client["ClientId"],
        client_secret=app_client["ClientSecret"],
        base_url=public_url,
    )


def handles(people: Path = PEOPLE) -> list[str]:
    """Return the handles of the people who can sign in, in the order of the file."""
    return [person["handle"] for person in json.loads(people.read_text())]


def find_pool(client: CognitoIdentityProviderClient) -> str | None:
    for page in client.get_paginator("list_user_pools").paginate(PaginationConfig={"PageSize": 60}):
        for pool in page["UserPools"]:
            if pool["Name"] == POOL_NAME:
                return pool["Id"]
    return None


def create_pool(client: CognitoIdentityProviderClient) -> str:
    pool = client.create_user_pool(
        PoolName=POOL_NAME,
        UsernameAttributes=["email"],
        AutoVerifiedAttributes=["email"],
        Schema=[
            {"Name": name, "Required": True, "Mutable": True, "AttributeDataType": "String"}
            for name in ("email", "name", "preferred_username")
        ],
    )
    return pool["UserPool"]["Id"]


def ensure_client(client: CognitoIdentityProviderClient, pool_id: str, *app_urls: str) -> UserPoolClientTypeTypeDef:
    """Ensure that the app client exists and has the addresses of the site's current port."""
    callbacks, sign_outs = [f"{url}/oidc/callback/" for url in app_urls], [f"{url}/" for url in app_urls]
    for summary in client.list_user_pool_clients(UserPoolId=pool_id, MaxResults=60)["UserPoolClients"]:
        if summary["ClientName"] != CLIENT_NAME:
            continue
        found = client.describe_user_pool_client(UserPoolId=pool_id, ClientId=summary["ClientId"])["UserPoolClient"]
        if found.get("CallbackURLs") == callbacks and found.get("LogoutURLs") == sign_outs:
            return found
        client.update_user_pool_client(
            UserPoolId=pool_id,
            ClientId=found["ClientId"],
            ClientName=CLIENT_NAME,
            CallbackURLs=callbacks,
            LogoutURLs=sign_outs,
            AllowedOAuthFlows=["code"],
            AllowedOAuthFlowsUserPoolClient=True,
            AllowedOAuthScopes=["openid", "email", "profile"],
            SupportedIdentityProviders=["COGNITO"],
            ExplicitAuthFlows=["ALLOW_REFRESH_TOKEN_AUTH", "ALLOW_USER_SRP_AUTH"],
        )
        return found
    return client.create_user_pool_client(
        UserPoolId=pool_id,
        ClientName=CLIENT_NAME,
        GenerateSecret=True,
        CallbackURLs=callbacks,
        LogoutURLs=sign_outs,
        AllowedOAuthFlows=["code"],
        AllowedOAuthFlowsUserPoolClient=True,
        AllowedOAuthScopes=["openid", "email", "profile"],
        SupportedIdentityProviders=["COGNITO"],
        ExplicitAuthFlows=["ALLOW_REFRESH_TOKEN_AUTH", "ALLOW_USER_SRP_AUTH"],
    )["UserPoolClient"]


def ensure_domain(client: CognitoIdentityProviderClient, pool_id: str) -> None:
    if client.describe_user_pool(UserPoolId=pool_id)["UserPool"].get("Domain") != DOMAIN:
        client.create_user_pool_domain(Domain=DOMAIN, UserPoolId=pool_id)


def ensure_people(client: CognitoIdentityProviderClient, pool_id: str, people: Sequence[Person]) -> None:
    """Ensure that all people are confirmed and have the password and their groups."""
    statuses = statuses_by_email(client, pool_id)
    for person in people:
        if person["email"] not in statuses:
            client.admin_create_user(
                UserPoolId=pool_id,
                Username=person["email"],
                MessageAction="SUPPRESS",
                UserAttributes=[
                    {"Name": "email", "Value": person["email"]},
                    {"Name": "email_verified", "Value": "true"},
                    {"Name": "name", "Value": person["display_name"]},
                    {"Name": "preferred_username", "Value": person["handle"]},
                ],
            )
        # The status shows whether the password was set: it is missing if the start was killed in between.
        if statuses.get(person["email"]) != "CONFIRMED":
            client.admin_set_user_password(
                UserPoolId=pool_id, Username=person["email"], Password=PASSWORD, Permanent=True
            )
    groups = {group["GroupName"] for group in client.list_groups(UserPoolId=pool_id)["Groups"]}
    for group, handles_in_it in MEMBERS.items():
        if group not in groups:
            client.create_group(UserPoolId=pool_id, GroupName=group)
        members = client.list_users_in_group(UserPoolId=pool_id, GroupName=group)["Users"]
        if len(members) < len(handles_in_it):
            for person in people:
                if person["handle"] in handles_in_it:
                    client.admin_add_user_to_group(UserPoolId=pool_id, Username=person["email"], GroupName=group)


def statuses_by_email(client: CognitoIdentityProviderClient, pool_id: str) -> Mapping[str, str]:
    statuses = {}
    for page in client.get_paginator("list_users").paginate(UserPoolId=pool_id):
        for user in page["Users"]:
            attributes = {each["Name"]: each.get("Value", "") for each in user["Attributes"]}
            statuses[attributes.get("email", "")] = str(user["UserStatus"])
    return statuses
