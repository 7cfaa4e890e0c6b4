"""Turn a verified ID token into a person: found only by `sub`, created at the first sign-in."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from django.contrib.sessions.backends.base import SessionBase
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from cruddur.text import is_blank
from users.handles import HandleError, validate_handle
from users.models import COGNITO_USER_ID_MAX_CHARS, DISPLAY_NAME_MAX_CHARS, MOCK, User
from users.people import require_free
from users.permissions import ADMINS, MODERATORS, give_rights

EMAIL_MAX_CHARS = 254
WAITING = "waiting_for_handle"
WAITING_SECONDS = 15 * 60


@dataclass(frozen=True, slots=True)
class Identity:
    """The user that a verified ID token identifies."""

    sub: str
    email: str
    """Empty unless Cognito verified it."""
    name: str
    handle: str
    """The handle that the user wants. Not validated; may be empty."""
    is_admin: bool
    is_moderator: bool = False

    @property
    def groups(self) -> frozenset[str]:
        """Those of Cognito's groups that give rights here."""
        return frozenset([ADMINS] * self.is_admin + [MODERATORS] * self.is_moderator)


class SignInFailed(Exception):
    """The sign-in failed; has the page's message and its status."""

    heading = _("You are not signed in")
    explanation = _("The sign-in could not be completed. Sign in again.")
    status = 400


class SignInRefused(SignInFailed):
    """Cognito's answer is invalid, or Cognito refused the sign-in."""


class AccountClosed(SignInFailed):
    heading = _("This account is closed")
    explanation = _("An administrator closed it, so nobody can sign in with it. Its messages are kept.")
    status = 403


class AccountDeleted(AccountClosed):
    heading = _("This account was deleted")
    explanation = _("Whoever had it asked for that, so nobody can sign in with it. It cannot be brought back.")


class HandleNeeded(Exception):
    """The handle of a first sign-in is missing, invalid or taken: the person has to choose one."""

    def __init__(self, identity: Identity) -> None:
        super().__init__()
        self.identity = identity


def identity_of(claims: Mapping[str, Any]) -> Identity:
    """Return the identity in the verified claims. Raises `SignInRefused` for a `sub` that cannot identify anybody."""
    sub = claims["sub"]
    if not isinstance(sub, str) or not identifies_someone(sub):
        raise SignInRefused
    groups = claims.get("cognito:groups")
    return Identity(
        sub=sub,
        email=verified_email(claims),
        name=text_claim(claims, "name"),
        handle=text_claim(claims, "preferred_username"),
        is_admin=isinstance(groups, list) and ADMINS in groups,
        is_moderator=isinstance(groups, list) and MODERATORS in groups,
    )


def identifies_someone(sub: str) -> bool:
    # A sub of MOCK would match everyone who is not linked to Cognito yet.
    return 0 < len(sub) <= COGNITO_USER_ID_MAX_CHARS and sub.upper() != MOCK


def verified_email(claims: Mapping[str, Any]) -> str:
    email = text_claim(claims, "email")
    # Cognito may also send a string.
    if claims.get("email_verified") not in (True, "true") or len(email) > EMAIL_MAX_CHARS:
        return ""
    try:
        validate_email(email)
    except ValidationError:
        return ""
    return email


def text_claim(claims: Mapping[str, Any], name: str) -> str:
    value = claims.get(name)
    return value.replace("\x00", "") if isinstance(value, str) else ""


def person_of(identity: Identity) -> User:
    """Return the person of this identity with current e-mail and rights; create them at the first sign-in.

    Raises `HandleNeeded` or `AccountClosed`.
    """
    person = linked_person(identity)
    if person is None:
        try:
            return first_sign_in(identity=identity, handle=identity.handle)
        except HandleError:
            raise HandleNeeded(identity) from None
    if not person.is_active:
        raise AccountDeleted if person.is_leaving else AccountClosed
    person.email = identity.email or person.email
    give_rights(person, identity.groups)
    person.save(update_fields=["email", "is_staff", "is_superuser"])
    return person


def first_sign_in(*, identity: Identity, handle: str) -> User:
    """Make the person of this identity, or return the one whom a sign-in at the same moment made.

    A row that waits for its Cognito user ('MOCK') keeps its handle. Raises `HandleError`, or `AccountClosed`.
    """
    try:
        return make_person(identity=identity, handle=handle)
    except (HandleError, IntegrityError) as error:
        person = linked_person(identity)
        if person is None:
            raise error if isinstance(error, HandleError) else HandleError("handle_taken") from None
    if not person.is_active:
        raise AccountDeleted if person.is_leaving else AccountClosed
    return person


def make_person(*, identity: Identity, handle: str) -> User:
    """Make the person of this identity, in a transaction of their own.

    Raises `HandleError`, or IntegrityError when someone else took the handle or the `sub` at this moment.
    """
    normal = free_handle(handle)
    with transaction.atomic():
        return User.objects.create_user(
            handle=normal,
            display_name=display_name(identity, normal),
            email=identity.email,
            cognito_user_id=identity.sub,
            is_staff=identity.is_admin or identity.is_moderator,
            is_superuser=identity.is_admin,
        )


def free_handle(handle: str) -> str:
    """Return the normalized handle. Raises `HandleError` if it is invalid or taken."""
    normal = validate_handle(handle)
    require_free(normal)
    return normal


def linked_person(identity: Identity) -> User | None:
    return User.objects.filter(cognito_user_id=identity.sub).first()


def display_name(identity: Identity, handle: str) -> str:
    name = " ".join(identity.name.split())[:DISPLAY_NAME_MAX_CHARS].strip()
    return handle if is_blank(name) else name


# --- Sign-ins that wait for a handle, kept in the session -----------------------------------------------------------


def wait_for_handle(session: SessionBase, identity: Identity, *, next_url: str) -> None:
    """Keep what is needed to make the person once the handle is chosen, for `WAITING_SECONDS`.

    In a new session: who planted the old one's key must not choose in another's place.
    """
    session.flush()
    session[WAITING] = {"identity": asdict(identity), "next": next_url, "since": time.time()}


def waiting_identity(session: SessionBase) -> tuple[Identity, str] | None:
    """Return the identity that waits for a handle in this session and where to go next; None if absent or expired."""
    waiting = session.get(WAITING)
    if waiting is None:
        return None
    if time.time() - waiting["since"] > WAITING_SECONDS:
        del session[WAITING]
        return None
    return Identity(**waiting["identity"]), waiting["next"]
