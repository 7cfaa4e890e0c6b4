"""The user pool of the settings, and who is in its groups."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from django.conf import settings

from . import cognito


def user_pool() -> cognito.UserPool:
    """The pool of COGNITO_USER_POOL_ID. Raises `CognitoError` when none is named."""
    if not settings.COGNITO_USER_POOL_ID:
        raise cognito.CognitoError("COGNITO_USER_POOL_ID is not set. Set it, or run `make run` for the local pool.")
    client = cognito.connect(endpoint_url=settings.COGNITO_ENDPOINT_URL, region=settings.AWS_REGION)
    return cognito.UserPool(client, settings.COGNITO_USER_POOL_ID)


def groups_by_sub(pool: cognito.UserPool) -> Mapping[str, Sequence[str]]:
    """The groups of each user who is in any: a call for each page of each group, none for each user."""
    groups = defaultdict(list)
    for group in pool.groups():
        for sub in pool.subs_in_group(group):
            groups[sub].append(group)
    return groups
