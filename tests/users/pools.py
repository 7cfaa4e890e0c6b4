"""User pools of a test's own on the emulator, so that no test meets another's users."""

from __future__ import annotations

from io import StringIO

from django.core.management import call_command
from pytest_django import Settings

from users.cognito import client as client_module
from users.cognito.client import UserPool


def new_pool(settings: Settings, *, by_email: bool = True) -> UserPool:
    """Create an empty pool with our attributes, and name it in the settings."""
    client = client_module.connect(endpoint_url=settings.COGNITO_ENDPOINT_URL, region=settings.AWS_REGION)
    username_attributes = {"UsernameAttributes": ["email"]} if by_email else {}
    pool = client.create_user_pool(PoolName="of-a-test", **username_attributes)["UserPool"]  # type: ignore[arg-type]
    settings.COGNITO_USER_POOL_ID = pool["Id"]
    return UserPool(client, pool["Id"])


def add_user(
    pool: UserPool, handle: str, *, email: str = "", verified: bool = True, confirmed: bool = True, name: str = "A Name"
) -> str:
    """Create a Cognito user, without a handle if that is empty, and return the sub."""
    email = email or f"{handle}@cruddur.example"
    attributes = {
        "email": email,
        "email_verified": str(verified).lower(),
        "name": name,
        **({"preferred_username": handle} if handle else {}),
    }
    user = pool.client.admin_create_user(
        UserPoolId=pool.id,
        Username=email,
        MessageAction="SUPPRESS",
        UserAttributes=[{"Name": key, "Value": value} for key, value in attributes.items()],
    )["User"]
    if confirmed:
        pool.set_password(email, "Cruddur123!")
    return client_module.cognito_user(user).sub


def run(command: str, *arguments: str) -> tuple[str, str]:
    """Return standard output and standard error of a command."""
    out, err = StringIO(), StringIO()
    call_command(command, *arguments, "--no-color", stdout=out, stderr=err)
    return out.getvalue(), err.getvalue()
