"""Match the user pool's users with people, and link waiting people ('MOCK') to them. Operators use it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Literal
from uuid import UUID

from django.db import IntegrityError, transaction

from users.handles import HandleError, skeleton, validate_handle
from users.models import MOCK, User

from .client import CognitoUser
from .sign_in import Identity, SignInRefused, free_handle, identifies_someone, identity_of, make_person

BATCH = 500
"""Cognito users in a batch: two SQL statements each, and memory that does not grow with the pool."""
CONFIRMED = "CONFIRMED"

NO_HANDLE = "The Cognito user has no handle (preferred_username)."
NO_SUB = "The Cognito user has no usable sub."
NOT_VERIFIED = "The Cognito user's e-mail is not verified."
OTHER_EMAIL = "The Cognito user has another e-mail."
OTHER_USER = "Another Cognito user has taken this handle as theirs; the person stays tied to the first."
STRANGER = "Nobody here has this handle: the first sign-in makes the person."

Outcome = Literal["tied", "would_tie", "already", "created", "would_create", "mismatch", "unknown", "no_handle"]


# --- Who is who -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Match:
    """The people that a Cognito user could be."""

    user: CognitoUser
    owner: User | None
    """The person linked to this user."""
    namesake: User | None
    """The person with this user's handle, whatever its case."""
    is_lost: bool = False
    """Whether the namesake's Cognito user no longer exists in the pool, so that they may be linked to this one."""

    @property
    def waiting(self) -> User | None:
        """The namesake, if they wait for a Cognito user and this one is nobody else."""
        if self.owner is not None or self.namesake is None:
            return None
        return self.namesake if self.is_lost or self.namesake.cognito_user_id == MOCK else None

    @property
    def obstacle(self) -> str:
        """Why this user is not to become their namesake, in a sentence; empty when nothing speaks against it.

        By handle alone anyone could take a row: `preferred_username` is its owner's to change.
        """
        user, person = self.user, self.namesake
        if self.owner is not None:
            # A handle changed in Cognito does not change the person's handle.
            other = person is not None and person.pk != self.owner.pk
            return f"The Cognito user with this handle already is @{self.owner.handle}." if other else ""
        if person is None:
            return STRANGER if user.handle else NO_HANDLE
        return ambiguity_of(user, person) if self.is_lost or person.cognito_user_id == MOCK else OTHER_USER


def ambiguity_of(user: CognitoUser, person: User) -> str:
    """Return why the user may not be the waiting person with the same handle; "" if nothing contradicts it."""
    if not identifies_someone(user.sub):
        return NO_SUB
    if not user.email_verified:
        return NOT_VERIFIED
    if not person.email or user.email.casefold() != person.email.casefold():
        return OTHER_EMAIL
    return ""


def matches(users: Iterable[CognitoUser], *, pool: Set[str] | None = None) -> Iterator[Match]:
    """Match each Cognito user, in their order, with the people they could be.

    `pool` holds the subs of all users of the pool. A person linked to any other sub is lost.
    """
    users = iter(users)
    while batch := list(islice(users, BATCH)):
        spellings = {user.handle: spelling(user.handle) for user in batch}
        skeletons = {skeleton(handle) for handle in spellings.values() if handle}
        namesakes = {person.handle.casefold(): person for person in User.objects.filter(handle_skeleton__in=skeletons)}
        subs = {user.sub for user in batch if identifies_someone(user.sub)}
        owners = {person.cognito_user_id: person for person in User.objects.filter(cognito_user_id__in=subs)}
        for user in batch:
            match = match_of(user, spellings[user.handle], namesakes, owners)
            yield replace(match, is_lost=pool is not None and is_lost(match.namesake, pool))


def match_of(user: CognitoUser, handle: str, namesakes: Mapping[str, User], owners: Mapping[str, User]) -> Match:
    namesake = namesakes.get(handle.casefold())
    if namesake is not None and namesake.cognito_user_id == user.sub != MOCK:
        return Match(user, namesake, namesake)  # linked since the batch was read
    return Match(user, owners.get(user.sub), namesake)


def is_lost(person: User | None, pool: Set[str]) -> bool:
    """Return whether a person is linked to a user that the pool no longer has. Deleted accounts do not count."""
    return person is not None and person.deleted_at is None and person.cognito_user_id not in {MOCK, *pool}


def spelling(handle: str) -> str:
    """Return the handle as it would be stored.

    Return an invalid handle unchanged, or "" if no stored handle can resemble it.
    """
    try:
        return validate_handle(handle)
    except HandleError:
        return handle if handle.isprintable() else ""


# --- Tying ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Link:
    """The result for a Cognito user."""

    user: CognitoUser
    outcome: Outcome
    person: User | None = None
    """The person that the user was or could not be linked to; None when a dry run would create them."""
    reason: str = ""
    was_lost: bool = False
    """Whether the person's previous Cognito user no longer exists in the pool."""


def link_people(
    users: Iterable[CognitoUser], *, create_missing: bool = False, replace_lost: bool = False, dry_run: bool = False
) -> Iterator[Link]:
    """Link each waiting person to the Cognito user with the same handle (case-insensitive) and verified e-mail.

    Lazy: each person is linked in a separate transaction when the iterator reaches their user. Existing links are never
    changed, except with `replace_lost` (`users` must then be the whole pool) if the linked user no longer exists. With
    `create_missing`, a user without a person who could sign in gets a new person.
    """
    deeds = DryRunLinker() if dry_run else Linker()
    pool = None
    if replace_lost:
        users = list(users)
        pool = frozenset(user.sub for user in users)
    for match in matches(users, pool=pool):
        if match.waiting and not match.obstacle:
            yield deeds.tie(match, match.waiting)
        elif create_missing and match.owner is None and match.namesake is None and match.user.handle:
            yield create(match.user, deeds)
        else:
            yield found(match)


def found(match: Match) -> Link:
    """Return the result for a user who needs no change or allows none."""
    if match.owner is not None and not match.obstacle:
        return Link(match.user, "already", match.owner)
    if match.namesake is not None:
        return Link(match.user, "mismatch", match.namesake, match.obstacle)
    return Link(match.user, "unknown" if match.user.handle else "no_handle", reason=match.obstacle)


def create(user: CognitoUser, deeds: Linker) -> Link:
    try:
        return deeds.create(user, identity_to_make(user))
    except HandleError as error:
        return Link(user, "unknown", reason=error.messages[0])
    except NotToBeMade as refusal:
        return Link(user, "unknown", reason=str(refusal))


class NotToBeMade(Exception):
    """The argument is a sentence that says why no person can be created before this user has signed in."""


def identity_to_make(user: CognitoUser) -> Identity:
    """Return what an ID token would say of the user. Groups are left out: rights are set at each sign-in.

    Raises `NotToBeMade`.
    """
    if not user.enabled:
        raise NotToBeMade("The Cognito user is disabled.")
    if user.status != CONFIRMED:
        raise NotToBeMade(f"The Cognito user is not confirmed ({user.status}).")
    claims = {"email_verified": user.email_verified, "preferred_username": user.handle}
    try:
        identity = identity_of({"sub": user.sub, "email": user.email, "name": user.name, **claims})
    except SignInRefused:
        raise NotToBeMade(NO_SUB) from None
    if not identity.email:
        raise NotToBeMade(NOT_VERIFIED)
    return identity


class Linker:
    """Changes the database. After a concurrent change, returns the result of the current state."""

    def tie(self, match: Match, person: User) -> Link:
        # Conditional: since the match was found, the row may have been linked or its e-mail changed.
        waiting = User.objects.filter(pk=person.pk, cognito_user_id=person.cognito_user_id, email=person.email)
        try:
            with transaction.atomic():
                tied = waiting.update(cognito_user_id=match.user.sub)
        except IntegrityError:  # this user was linked to another person
            tied = 0
        if not tied:
            return found_now(match.user)
        person.cognito_user_id = match.user.sub
        return Link(match.user, "tied", person, was_lost=match.is_lost)

    def create(self, user: CognitoUser, identity: Identity) -> Link:
        """Create the person of this identity. Raises `HandleError`."""
        try:
            return Link(user, "created", make_person(identity=identity, handle=identity.handle))
        except (HandleError, IntegrityError) as error:
            link = found_now(user)
            if link.outcome != "unknown":
                return link
            raise error if isinstance(error, HandleError) else HandleError("handle_taken") from None


def found_now(user: CognitoUser) -> Link:
    (match,) = matches([user])
    return found(match)


@dataclass
class DryRunLinker(Linker):
    """Reports what would be done, and remembers which subs and handles would be taken."""

    tied: dict[UUID, str] = field(default_factory=dict)
    """The subs that would have been linked."""
    handles: dict[str, str] = field(default_factory=dict)
    """The handles that would have been taken, by skeleton."""

    def tie(self, match: Match, person: User) -> Link:
        if self.tied.setdefault(person.pk, match.user.sub) != match.user.sub:
            return Link(match.user, "mismatch", person, OTHER_USER)
        return Link(match.user, "would_tie", person, was_lost=match.is_lost)

    def create(self, user: CognitoUser, identity: Identity) -> Link:
        handle = free_handle(identity.handle)
        if (first := self.handles.get(skeleton(handle))) is None:
            self.handles[skeleton(handle)] = handle
            return Link(user, "would_create")
        if first.casefold() == handle.casefold():
            return Link(user, "mismatch", reason=OTHER_USER)
        raise HandleError("handle_confusable")


def handles_waiting() -> Iterator[str]:
    """Yield the handles of people who are not linked to a Cognito user yet, in alphabetical order."""
    return User.objects.filter(cognito_user_id=MOCK).order_by("handle").values_list("handle", flat=True).iterator()
