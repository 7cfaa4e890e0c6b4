"""What administrators do to accounts, here and in Cognito. Callers write the audit log first.

Each function acts here first, which takes effect at once, and returns a sentence on what could not be done in Cognito,
or "". Repeating any of them is safe.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from django.db import transaction
from django.utils.translation import gettext as _

from users.cognito.client import CognitoError, CognitoUser, UserPool
from users.cognito.linking import link_people
from users.cognito.pool import page_pool
from users.models import MOCK, User
from users.permissions import give_rights
from users.sessions.sign_out import sign_out_everywhere


def disable(person: User) -> str:
    """Close the account, end its sessions and streams, and disable and sign out its Cognito user."""
    with transaction.atomic():
        person.is_active = False
        person.save(update_fields=["is_active"])
        sign_out_everywhere(person)
    return _in_cognito(person, UserPool.disable, UserPool.sign_out)


def enable(person: User) -> str:
    """Open the account again, unless its owner asked for its deletion, which cannot be undone."""
    if person.is_leaving:
        return _("The account is being deleted, as its owner asked: it stays closed.")
    person.is_active = True
    person.save(update_fields=["is_active"])
    return _in_cognito(person, UserPool.enable)


def sign_out(person: User) -> str:
    """End the user's sessions and streams, and revoke their tokens."""
    sign_out_everywhere(person)
    return _in_cognito(person, UserPool.sign_out)


def synchronise(person: User) -> list[str]:
    """Copy identity, verified e-mail, permissions and the disabled state from Cognito. Return what was changed.

    A user who waits ('MOCK') is linked as `update_cognito_user_ids` does it. A user who is disabled here stays so: only
    `enable` undoes that. Raise CognitoError.
    """
    return list(_synchronised(page_pool(), person))


def cognito_user_of(person: User) -> CognitoUser | None:
    """Return the user's Cognito user, or None if none is linked to them. Raise CognitoError."""
    return None if person.cognito_user_id == MOCK else page_pool().user_of(person.cognito_user_id)


def _synchronised(pool: UserPool, person: User) -> Iterator[str]:
    if person.cognito_user_id == MOCK:
        for link in link_people(pool.users(where=("preferred_username", person.handle))):
            if link.outcome == "tied" and link.person is not None and link.person.pk == person.pk:
                yield _("tied to their Cognito user")
        person.refresh_from_db()
    user = None if person.cognito_user_id == MOCK or person.is_leaving else pool.user_of(person.cognito_user_id)
    if user is None:
        raise CognitoError(_nobody(person))
    before = (person.email, person.is_staff, person.is_superuser)
    if user.email_verified:
        person.email = user.email
    give_rights(person, pool.groups_of(user.username))
    if (person.email, person.is_staff, person.is_superuser) != before:
        person.save(update_fields=["email", "is_staff", "is_superuser"])
    if person.email != before[0]:
        yield _("e-mail brought up to date")
    if (person.is_staff, person.is_superuser) != before[1:]:
        yield _("rights brought up to date")
    if not user.enabled and person.is_active:
        disable(person)
        yield _("disabled, as in Cognito")


def _in_cognito(person: User, *acts: Callable[[UserPool, str], None]) -> str:
    if person.cognito_user_id == MOCK:
        return _nobody(person)
    try:
        pool = page_pool()
        user = pool.user_of(person.cognito_user_id)
        if user is None:
            return _nobody(person)
        for act in acts:
            act(pool, user.username)
    except CognitoError as error:
        return str(error)
    return ""


def _nobody(person: User) -> str:
    if person.cognito_user_id == MOCK:
        return _("Nobody in Cognito is tied to this person.")
    return _("Cognito has no such user any more.")
