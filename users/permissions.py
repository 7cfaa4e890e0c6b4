"""Permissions of Cognito's groups: `admins` may use all of Django admin, `moderators` what moderation needs."""

from __future__ import annotations

from collections.abc import Collection

from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import AnonymousUser

from .models import User

ADMINS = "admins"
MODERATORS = "moderators"
GROUPS = (ADMINS, MODERATORS)


def give_rights(person: User, groups: Collection[str]) -> None:
    """Set, without saving it, what the person may do as a member of these groups, and of no other."""
    person.is_superuser = ADMINS in groups
    person.is_staff = person.is_superuser or MODERATORS in groups


def moderates(user: AbstractBaseUser | AnonymousUser) -> bool:
    """Return whether the user is a moderator or an administrator."""
    return isinstance(user, User) and user.is_active and user.is_staff


def administrates(user: AbstractBaseUser | AnonymousUser) -> bool:
    """Return whether the user is an administrator."""
    return moderates(user) and isinstance(user, User) and user.is_superuser
