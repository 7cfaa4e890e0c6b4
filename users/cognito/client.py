"""The only client of Cognito's user pools. Independent of Django: the client and the pool are arguments."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionError,  # noqa: A004 - botocore's, not Python's
    CredentialRetrievalError,
    HTTPClientError,
    InvalidRegionError,
    NoCredentialsError,
    ParamValidationError,
    PartialCredentialsError,
    ProfileNotFound,
    SSOError,
    TokenRetrievalError,
)
from botocore.parsers import ResponseParserError

from cruddur.net import loopback_credentials
from cruddur.problem import Problem

from .error_messages import EXPIRED, NO_CREDENTIALS, NO_POOL, NOT_COGNITO, OF_ANOTHER, SENTENCES, UNREACHABLE

if TYPE_CHECKING:
    from types_boto3_cognito_idp import CognitoIdentityProviderClient
    from types_boto3_cognito_idp.type_defs import AdminCreateUserRequestTypeDef, UserTypeTypeDef

PAGE_SIZE = 60  # Cognito's maximum
# Cognito waits up to 5 s for each Lambda trigger of the pool before it answers.
TIMEOUTS = Config(connect_timeout=1, read_timeout=10, retries={"mode": "standard", "total_max_attempts": 2})
# Short, because a page request waits for it.
PAGE_TIMEOUTS = Config(connect_timeout=1, read_timeout=3, retries={"mode": "standard", "total_max_attempts": 1})
NOT_ASKED = (
    ((NoCredentialsError, PartialCredentialsError), NO_CREDENTIALS),
    ((ProfileNotFound,), "There is no AWS profile {profile}. Unset AWS_PROFILE, or name another."),
    ((InvalidRegionError,), "AWS_REGION is no region. Set it to one, as in us-east-1."),
    ((TokenRetrievalError, CredentialRetrievalError, SSOError), EXPIRED),
    ((ParamValidationError,), "A value is not as Cognito takes it: {report}."),
    ((ConnectionError, HTTPClientError), UNREACHABLE),
)
DENIED = frozenset(("AccessDeniedException", "NotAuthorizedException", "UnauthorizedException"))


class CognitoError(Problem):
    """A request to Cognito failed; the argument is a sentence that says what to do about it."""


@dataclass(frozen=True, slots=True)
class CognitoUser:
    """A user of the pool with the attributes that we use; missing ones are empty."""

    sub: str
    handle: str
    """preferred_username."""
    email: str
    email_verified: bool
    name: str
    status: str
    """Cognito's status, for example CONFIRMED."""
    enabled: bool
    username: str = ""
    """The identifier in Cognito's API; in pools with e-mail sign-in it is the sub."""
    created_at: datetime | None = None
    modified_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class UserPool:
    """A user pool. All methods may raise `CognitoError`."""

    client: CognitoIdentityProviderClient
    id: str

    def users(self, *, where: tuple[str, str] | None = None) -> Iterator[CognitoUser]:
        """Yield all users, page by page; with `where` (an attribute's name and value) only matching ones."""
        pages = self.client.get_paginator("list_users")
        only = equals(*where) if where else ""
        with self._translated_errors():
            for page in pages.paginate(UserPoolId=self.id, Filter=only, PaginationConfig={"PageSize": PAGE_SIZE}):
                yield from map(cognito_user, page["Users"])

    def groups(self) -> list[str]:
        """Return the names of all groups."""
        pages = self.client.get_paginator("list_groups")
        with self._translated_errors():
            return [
                group["GroupName"]
                for page in pages.paginate(UserPoolId=self.id, PaginationConfig={"PageSize": PAGE_SIZE})
                for group in page["Groups"]
            ]

    def subs_in_group(self, group: str) -> frozenset[str]:
        """Return the subs of a group's members; empty if the group does not exist."""
        paginator = self.client.get_paginator("list_users_in_group")
        with self._translated_errors():
            try:
                pages = paginator.paginate(
                    UserPoolId=self.id, GroupName=group, PaginationConfig={"PageSize": PAGE_SIZE}
                )
                return frozenset(cognito_user(user).sub for page in pages for user in page["Users"])
            except self.client.exceptions.ResourceNotFoundException:
                return frozenset()

    def signs_in_by_email(self) -> bool:
        """Return whether the pool uses the e-mail as username.

        AdminCreateUser then requires it; else any other name will do.
        """
        with self._translated_errors():
            attributes = self.client.describe_user_pool(UserPoolId=self.id)["UserPool"].get("UsernameAttributes", [])
        if attributes and "email" not in attributes:
            raise CognitoError(
                "People of this pool sign in with their phone number: make the user in Cognito's console."
            )
        return bool(attributes)

    def create_user(
        self, *, username: str, handle: str, email: str, name: str, password: str | None = None
    ) -> CognitoUser:
        """Make a user whose e-mail counts as verified.

        Without a password Cognito mails an invitation that holds a temporary one. With one it mails nothing, and the
        password is temporary until `set_password`; Cognito makes nobody if it breaks the pool's rules.
        """
        attributes = {"email": email, "email_verified": "true", "name": name, "preferred_username": handle}
        request: AdminCreateUserRequestTypeDef = {
            "UserPoolId": self.id,
            "Username": username,
            "UserAttributes": [{"Name": key, "Value": value} for key, value in attributes.items()],
        }
        if password is None:
            request["DesiredDeliveryMediums"] = ["EMAIL"]  # unless told so, Cognito sends an SMS
        else:
            request["MessageAction"] = "SUPPRESS"
            request["TemporaryPassword"] = password
        with self._translated_errors():
            return cognito_user(self.client.admin_create_user(**request)["User"])

    def set_password(self, username: str, password: str) -> None:
        """Give the user a password that lasts; they are CONFIRMED then."""
        with self._translated_errors():
            self.client.admin_set_user_password(
                UserPoolId=self.id, Username=username, Password=password, Permanent=True
            )

    def create_group(self, group: str) -> None:
        """Make the group unless there is one of this name."""
        with self._translated_errors():
            try:
                self.client.create_group(UserPoolId=self.id, GroupName=group)
            except self.client.exceptions.GroupExistsException:
                return

    def add_to_group(self, username: str, group: str) -> None:
        """Make the user a member, if they are none yet."""
        with self._translated_errors():
            self.client.admin_add_user_to_group(UserPoolId=self.id, Username=username, GroupName=group)

    def user_of(self, sub: str) -> CognitoUser | None:
        """Return the user with this sub, or None."""
        return next(self.users(where=("sub", sub)), None)

    def groups_of(self, username: str) -> frozenset[str]:
        """Return the names of the user's groups."""
        pages = self.client.get_paginator("admin_list_groups_for_user")
        with self._translated_errors():
            found = pages.paginate(UserPoolId=self.id, Username=username, PaginationConfig={"PageSize": PAGE_SIZE})
            return frozenset(group["GroupName"] for page in found for group in page["Groups"])

    def disable(self, username: str) -> None:
        """Let the user sign in no more; what they are signed in to goes on until its tokens expire."""
        with self._translated_errors():
            self.client.admin_disable_user(UserPoolId=self.id, Username=username)

    def enable(self, username: str) -> None:
        """Let the user sign in again."""
        with self._translated_errors():
            self.client.admin_enable_user(UserPoolId=self.id, Username=username)

    def sign_out(self, username: str) -> None:
        """Revoke all tokens that the user has."""
        with self._translated_errors():
            self.client.admin_user_global_sign_out(UserPoolId=self.id, Username=username)

    def delete_user(self, username: str) -> None:
        """Delete the user, unless that was done before."""
        with self._translated_errors(), suppress(self.client.exceptions.UserNotFoundException):
            self.client.admin_delete_user(UserPoolId=self.id, Username=username)

    @contextmanager
    def _translated_errors(self) -> Iterator[None]:
        with translated_errors():
            try:
                yield
            except ClientError as error:
                if sentence := self._why_not_found(error):
                    raise CognitoError(sentence) from error
                raise

    def _why_not_found(self, error: ClientError) -> str | None:
        if error.response["Error"]["Code"] != "ResourceNotFoundException" and not is_about_pool_id(error):
            return None
        if words_of(error).startswith("Group"):
            return "There is no such group any more. Run this again."
        region, home = self.client.meta.region_name, self.id.rpartition("_")[0]
        if home in ("", region):
            return NO_POOL
        return (
            f"There is no such user pool in {region}. Its id says {home}: set AWS_REGION to that, or name another pool."
        )


def connect(*, endpoint_url: str | None, region: str, timeouts: Config = TIMEOUTS) -> CognitoIdentityProviderClient:
    """Return a client with its own session.

    A loopback endpoint gets the local stack's key, others the default chain.
    """
    with translated_errors():
        return boto3.Session(**loopback_credentials(endpoint_url)).client(
            "cognito-idp", region_name=region, endpoint_url=endpoint_url, config=timeouts
        )


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
        username=user.get("Username", ""),
        created_at=in_utc(user.get("UserCreateDate")),
        modified_at=in_utc(user.get("UserLastModifiedDate")),
    )


def in_utc(moment: datetime | None) -> datetime | None:
    return moment and moment.astimezone(UTC)


def equals(attribute: str, value: str) -> str:
    """Return a ListUsers filter for an attribute with this value."""
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'{attribute} = "{escaped}"'


@contextmanager
def translated_errors() -> Iterator[None]:
    try:
        yield
    except ClientError as error:
        raise CognitoError(sentence_of(error)) from error
    except ResponseParserError as error:
        raise CognitoError(NOT_COGNITO) from error
    except BotoCoreError as error:
        raise CognitoError(why_not_asked(error)) from error


def sentence_of(error: ClientError) -> str:
    code = error.response["Error"].get("Code", "")
    if code in OF_ANOTHER or code.isdecimal():
        return NOT_COGNITO
    if code in DENIED:
        return f"AWS refused: these credentials lack the permission cognito-idp:{error.operation_name}."
    # Cognito's messages for these two contain no secrets, and only they say what is wrong.
    if code == "InvalidPasswordException":
        return f"Cognito does not accept the password: {words_of(error).rpartition('policy: ')[2]}. Choose another one."
    if code == "InvalidParameterException":
        return f"Cognito does not accept a value: {words_of(error) or 'it does not say which'}."
    return SENTENCES.get(code, f"Cognito refused: {code or 'no reason given'}.")


def words_of(error: ClientError) -> str:
    return " ".join(error.response["Error"].get("Message", "").split()).rstrip(".")


def is_about_pool_id(error: ClientError) -> bool:
    """Return whether Cognito rejected the pool id as malformed."""
    return error.response["Error"]["Code"] == "InvalidParameterException" and "userPoolId" in words_of(error)


def why_not_asked(error: BotoCoreError) -> str:
    for kinds, sentence in NOT_ASKED:
        if isinstance(error, kinds):
            return sentence.format(**error.kwargs)
    return f"Cognito could not be asked: {error}"
