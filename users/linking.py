"""Tying people who wait ('MOCK') to their Cognito users: an operator's work, done by `update_cognito_user_ids`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from .cognito import CognitoUser
from .handles import skeleton
from .models import COGNITO_USER_ID_MAX_CHARS, MOCK, User


@dataclass(slots=True)
class Linking:
    """What became of each Cognito user."""

    tied: list[User] = field(default_factory=list)
    already_tied: int = 0
    without_handle: int = 0
    unknown: int = 0
    """Users whose handle nobody here has: they become people when they sign in."""
    mismatches: list[str] = field(default_factory=list)
    """A sentence each: the handle is the same, and something else speaks against it."""


def link_people(users: Iterable[CognitoUser]) -> Linking:
    """Tie each waiting person to the Cognito user with their handle, whatever its case, and their verified e-mail.

    Who is tied already is never changed. By handle alone anyone could take a row: `preferred_username` is its
    owner's to change.
    """
    cognito_users = list(users)
    linking = Linking()
    linking.without_handle = sum(not user.handle for user in cognito_users)
    named = [user for user in cognito_users if user.handle]
    people = {
        person.handle.casefold(): person
        for person in User.objects.filter(handle_skeleton__in={skeleton(user.handle) for user in named})
    }
    owners = {
        person.cognito_user_id: person
        for person in User.objects.filter(cognito_user_id__in={user.sub for user in named})
        if person.cognito_user_id != MOCK
    }
    for user in named:
        link_one(user, people.get(user.handle.casefold()), owners, linking)
    return linking


def link_one(user: CognitoUser, person: User | None, owners: dict[str, User], linking: Linking) -> None:
    owner = owners.get(user.sub)
    if person is None and owner is None:
        linking.unknown += 1
    elif person is None or (owner is not None and owner.pk == person.pk):
        # Who renamed themselves in Cognito keeps the handle they have here.
        linking.already_tied += 1
    elif problem := problem_with(user, person, owner):
        linking.mismatches.append(f"@{person.handle}: {problem}")
    elif claim(person, user.sub):
        owners[user.sub] = person
        linking.tied.append(person)
    else:
        linking.mismatches.append(f"@{person.handle}: was tied to another Cognito user just now.")


def problem_with(user: CognitoUser, person: User, owner: User | None) -> str | None:
    """Why this Cognito user, who has the person's handle, is not to become this person."""
    if owner is not None:
        return f"the Cognito user with this handle already is @{owner.handle}."
    if person.cognito_user_id != MOCK:
        return "another Cognito user has taken this handle as theirs; the person stays tied to the first."
    if not 0 < len(user.sub) <= COGNITO_USER_ID_MAX_CHARS or user.sub.upper() == MOCK:
        return "the Cognito user has no usable sub."
    if not user.email_verified:
        return "the Cognito user's e-mail is not verified."
    if not person.email or user.email.casefold() != person.email.casefold():
        return "the Cognito user has another e-mail."
    return None


def claim(person: User, sub: str) -> bool:
    """Tie the person, unless somebody did meanwhile."""
    tied = User.objects.filter(pk=person.pk, cognito_user_id=MOCK).update(cognito_user_id=sub)
    person.cognito_user_id = sub if tied else person.cognito_user_id
    return bool(tied)
