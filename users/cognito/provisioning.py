"""Create a Cognito user so that a person can sign in. Operators use it through `cognito_create_user`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from cruddur.problem import Problem
from users.handles import HandleError, skeleton, validate_handle
from users.models import MOCK, User
from users.permissions import GROUPS

from .client import CognitoUser, UserPool

USERNAME_MAX_CHARS = 128
"""Cognito's limit for usernames; with e-mail sign-in the e-mail is the username."""


class AccountRefused(Problem):
    """The user cannot be created; the argument says why, and what to do."""


@dataclass(frozen=True, slots=True)
class Account:
    """The account to create or complete. Everything was checked, nothing was changed."""

    handle: str
    email: str
    name: str
    groups: Sequence[str]
    groups_to_make: Sequence[str]
    user: CognitoUser | None
    """The existing Cognito user."""
    person: User | None
    """The person with the handle: linked to the user, or waiting for one."""


def look_up_account(pool: UserPool, *, handle: str, email: str, name: str, groups: Sequence[str]) -> Account:
    """Check that the account can be created and return what exists of it. Raises `AccountRefused` or `CognitoError`."""
    handle, email = valid_handle(handle), valid_email(email)
    user = user_with(pool, handle=handle, email=email)
    existing = pool.groups() if groups else []
    unknown = [group for group in groups if group not in existing]
    if strange := [group for group in unknown if group not in GROUPS]:
        there_are = ", ".join(sorted({*existing, *GROUPS}))
        raise AccountRefused(f"There is no group {strange[0]} in this pool. There are: {there_are}.")
    return Account(
        handle=handle,
        email=email,
        name=" ".join(name.split()) or handle,
        groups=groups,
        groups_to_make=unknown,
        user=user,
        person=person_for(handle=handle, email=email, user=user),
    )


def complete_account(pool: UserPool, account: Account, *, password: str | None) -> CognitoUser:
    """Make the user, or what they lack: the groups, and the password if there is one. Safe to repeat.

    Raises `CognitoError`; what was done until then is found by the next attempt.
    """
    user = account.user or pool.create_user(
        username=account.email if pool.signs_in_by_email() else account.handle,
        handle=account.handle,
        email=account.email,
        name=account.name,
        password=password,
    )
    if password is not None:
        pool.set_password(user.username, password)
    for group in account.groups_to_make:
        pool.create_group(group)
    for group in account.groups:
        pool.add_to_group(user.username, group)
    return user


def valid_handle(handle: str) -> str:
    try:
        return validate_handle(handle)
    except HandleError as error:
        raise AccountRefused(error.messages[0]) from error


def valid_email(email: str) -> str:
    try:
        validate_email(email)
    except ValidationError as error:
        raise AccountRefused(f"{email} is no e-mail address.") from error
    if len(email) > USERNAME_MAX_CHARS:
        raise AccountRefused(f"Cognito takes e-mail addresses of at most {USERNAME_MAX_CHARS} characters.")
    return email


def user_with(pool: UserPool, *, handle: str, email: str) -> CognitoUser | None:
    """Return the Cognito user with this handle and e-mail (case-insensitive), or None if no user has either."""
    found = [
        *pool.users(where=("email", email)),
        *pool.users(where=("preferred_username", handle)),
    ]
    for user in found:
        if user.email.casefold() != email.casefold():
            raise AccountRefused(f"A Cognito user with another e-mail has the handle {handle}: choose another handle.")
        if user.handle.casefold() != handle.casefold():
            has = f"the handle {user.handle}" if user.handle else "no handle"
            raise AccountRefused(
                f"The Cognito user with the e-mail {email} has {has}: give that handle, or another e-mail."
            )
        if not user.enabled:
            raise AccountRefused(f"The Cognito user {user.email} is disabled: enable them in Cognito's console first.")
    return found[0] if found else None


def person_for(*, handle: str, email: str, user: CognitoUser | None) -> User | None:
    """Return the person that the user is or will be linked to, or None if the first sign-in is to create them."""
    person = User.objects.filter(handle_skeleton=skeleton(handle)).first()
    if person is None:
        return None
    if person.handle.casefold() != handle.casefold():
        raise AccountRefused(f"The handle looks like @{person.handle}, who is here already: choose another one.")
    if person.cognito_user_id == MOCK:
        if person.email.casefold() != email.casefold():
            raise AccountRefused(
                f"@{handle} waits here for a Cognito user with another e-mail: give that one, or choose another handle."
            )
    elif user is None or person.cognito_user_id != user.sub:
        raise AccountRefused(f"@{handle} is here already, tied to another Cognito user: choose another handle.")
    return person
