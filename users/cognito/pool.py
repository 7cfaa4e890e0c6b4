"""The user pool of the settings, and the members of its groups."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING

from django.conf import settings

from . import client as client_module

if TYPE_CHECKING:
    from types_boto3_cognito_idp import CognitoIdentityProviderClient

NOT_SET = "COGNITO_USER_POOL_ID is not set. Set it, or run `make run` for the local pool."


def user_pool() -> client_module.UserPool:
    """Return the pool of COGNITO_USER_POOL_ID. Raises `CognitoError` if it is not set."""
    if not settings.COGNITO_USER_POOL_ID:
        raise client_module.CognitoError(NOT_SET)
    client = client_module.connect(endpoint_url=settings.COGNITO_ENDPOINT_URL, region=settings.AWS_REGION)
    return client_module.UserPool(client, settings.COGNITO_USER_POOL_ID)


def page_pool() -> client_module.UserPool:
    """Return the pool like `user_pool`, with a cached client whose timeouts suit a page request."""
    if not settings.COGNITO_USER_POOL_ID:
        raise client_module.CognitoError(NOT_SET)
    client = _page_client(settings.COGNITO_ENDPOINT_URL, settings.AWS_REGION)
    return client_module.UserPool(client, settings.COGNITO_USER_POOL_ID)


@cache
def _page_client(endpoint_url: str | None, region: str) -> CognitoIdentityProviderClient:
    return client_module.connect(endpoint_url=endpoint_url, region=region, timeouts=client_module.PAGE_TIMEOUTS)


def groups_by_sub(pool: client_module.UserPool, groups: Sequence[str]) -> Mapping[str, Sequence[str]]:
    """Return which of these groups each user is in: a call for each page of each group, none for each user."""
    found = defaultdict(list)
    for group in groups:
        for sub in pool.subs_in_group(group):
            found[sub].append(group)
    return found
