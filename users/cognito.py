"""The one door to Cognito's user pools. Free of Django: the client and the pool are arguments."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionError,  # noqa: A004 - botocore's, not Python's
    HTTPClientError,
    NoCredentialsError,
    ParamValidationError,
    PartialCredentialsError,
    TokenRetrievalError,
)

from cruddur.loopback import is_loopback
from cruddur.problem import Problem

if TYPE_CHECKING:
    from types_boto3_cognito_idp import CognitoIdentityProviderClient
    from types_boto3_cognito_idp.type_defs import UserTypeTypeDef

DUMMY_CREDENTIAL = "cruddurlocal"
PAGE_SIZE = 60  # Cognito's largest

DENIED = "AWS refused: these credentials may not do this. The pool needs cognito-idp:ListUsers and ListUsersInGroup."
EXPIRED = "The AWS credentials have expired or are not valid. Sign in to AWS again."
NO_POOL = "There is no such user pool. Check COGNITO_USER_POOL_ID and AWS_REGION, or run `make run` for the local one."
NO_CREDENTIALS = "No AWS credentials were found. Sign in to AWS, or set AWS_ENDPOINT_URL for the local stack."
THROTTLED = "Cognito is throttling. Wait a little and try again."
UNREACHABLE = "Cognito does not answer. Check the network, or start the local stack with `make run`."
SENTENCES = {
    "AccessDeniedException": DENIED,
    "NotAuthorizedException": DENIED,
    "UnauthorizedException": DENIED,
    "ExpiredToken": EXPIRED,
    "ExpiredTokenException": EXPIRED,
    "InvalidClientTokenId": EXPIRED,
    "InvalidSignatureException": EXPIRED,
    "UnrecognizedClientException": EXPIRED,
    "InvalidParameterException": NO_POOL,
    "ResourceNotFoundException": NO_POOL,
    "ThrottlingException": THROTTLED,
    "TooManyRequestsException": THROTTLED,
    "InternalErrorException": UNREACHABLE,
}


class CognitoError(Problem):
    """Cognito did not do what was asked; the argument is a sentence that says what to do about it."""


@dataclass(frozen=True, slots=True)
class CognitoUser:
    """A user of the pool, with the attributes that matter here; what is not set is empty."""

    sub: str
    handle: str
    """preferred_username."""
    email: str
    email_verified: bool
    name: str
    status: str
    """Cognito's word, for example CONFIRMED."""
    enabled: bool


def connect(*, endpoint_url: str | None, region: str) -> CognitoIdentityProviderClient:
    """A client with a session of its own. A loopback endpoint gets dummy credentials, any other the default chain."""
    local = is_loopback(endpoint_url)
    return boto3.Session().client(
        "cognito-idp",
        region_name=region,
        endpoint_url=endpoint_url,
        aws_access_key_id=DUMMY_CREDENTIAL if local else None,
        aws_secret_access_key=DUMMY_CREDENTIAL if local else None,
        config=Config(connect_timeout=1, read_timeout=3, retries={"mode": "standard", "total_max_attempts": 2}),
    )


def list_users(client: CognitoIdentityProviderClient, *, pool_id: str) -> Iterator[CognitoUser]:
    """Every user of the pool, page after page. Raises `CognitoError`."""
    with translated_errors():
        pages = client.get_paginator("list_users").paginate(
            UserPoolId=pool_id, PaginationConfig={"PageSize": PAGE_SIZE}
        )
        for page in pages:
            for user in page["Users"]:
                yield cognito_user(user)


def subs_in_group(client: CognitoIdentityProviderClient, *, pool_id: str, group: str) -> frozenset[str]:
    """The subs of a group's members; none when there is no such group. Raises `CognitoError`."""
    paginator = client.get_paginator("list_users_in_group")
    with translated_errors():
        try:
            pages = paginator.paginate(UserPoolId=pool_id, GroupName=group, PaginationConfig={"PageSize": PAGE_SIZE})
            return frozenset(cognito_user(user).sub for page in pages for user in page["Users"])
        except client.exceptions.ResourceNotFoundException:
            return frozenset()


def cognito_user(user: UserTypeTypeDef) -> CognitoUser:
    attributes = {attribute["Name"]: attribute.get("Value", "") for attribute in user.get("Attributes", [])}
    return CognitoUser(
        sub=attributes.get("sub", ""),
        handle=attributes.get("preferred_username", "").strip(),
        email=attributes.get("email", ""),
        email_verified=attributes.get("email_verified", "").lower() == "true",
        name=attributes.get("name", ""),
        status=user.get("UserStatus", ""),
        enabled=user.get("Enabled", True),
    )


@contextmanager
def translated_errors() -> Iterator[None]:
    try:
        yield
    except ClientError as error:
        code = error.response.get("Error", {}).get("Code", "")
        raise CognitoError(SENTENCES.get(code, f"Cognito refused: {code or 'no reason given'}.")) from error
    except (NoCredentialsError, PartialCredentialsError) as error:
        raise CognitoError(NO_CREDENTIALS) from error
    except TokenRetrievalError as error:
        raise CognitoError(EXPIRED) from error
    except ParamValidationError as error:
        raise CognitoError(NO_POOL) from error
    except (ConnectionError, HTTPClientError) as error:
        raise CognitoError(UNREACHABLE) from error
    except BotoCoreError as error:
        raise CognitoError(f"Cognito could not be asked: {error}") from error
