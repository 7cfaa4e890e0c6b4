"""The user pool of the settings."""

from __future__ import annotations

from collections.abc import Iterator

from django.conf import settings

from . import cognito
from .sign_in import ADMINS


def pool_users() -> Iterator[cognito.CognitoUser]:
    """Every user of the pool. Raises `CognitoError`."""
    client = cognito.connect(endpoint_url=settings.COGNITO_ENDPOINT_URL, region=settings.AWS_REGION)
    yield from cognito.list_users(client, pool_id=required_pool_id())


def pool_admin_subs() -> frozenset[str]:
    """The subs of those in the group of administrators. Raises `CognitoError`."""
    client = cognito.connect(endpoint_url=settings.COGNITO_ENDPOINT_URL, region=settings.AWS_REGION)
    return cognito.subs_in_group(client, pool_id=required_pool_id(), group=ADMINS)


def required_pool_id() -> str:
    if not settings.COGNITO_USER_POOL_ID:
        raise cognito.CognitoError("COGNITO_USER_POOL_ID is not set. Set it, or run `make run` for the local pool.")
    pool_id: str = settings.COGNITO_USER_POOL_ID
    return pool_id
