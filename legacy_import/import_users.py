"""People of the old system move in: found again where they are here already, otherwise made.

Who is whom is kept (`MovedIn`), so that running it again makes nobody twice and a conversation stays whose it is, also
when people have changed their e-mail or deleted their account since.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Literal
from uuid import UUID

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.utils import timezone

from cruddur.text import is_blank
from users.cognito.sign_in import EMAIL_MAX_CHARS, identifies_someone
from users.handles import HANDLE_MAX_CHARS, HandleError, skeleton, validate_handle
from users.models import BIO_MAX_CHARS, DISPLAY_NAME_MAX_CHARS, MOCK, MovedIn, User

from .legacy_users import LegacyUser

BATCH = 500
"""Looked up at a time, in two statements; those who are new take a transaction each."""
NAMELESS = "moved_{}"
"""The handle of somebody whose old one cannot be had, nor one like it; a part of their uuid follows."""
UNKNOWN_NAME = "Unknown person"

Outcome = Literal["found", "matched", "completed", "created", "placeholder"]


@dataclass(frozen=True, slots=True)
class ImportResult:
    """Who somebody of the old system is here."""

    old: LegacyUser
    uuid: UUID
    """Here; in a rehearsal that of who would be made."""
    outcome: Outcome
    left: bool = False
    """Whether they have deleted their account here since."""
    remarks: tuple[str, ...] = ()
    """Sentences: what is not as in the old system. Without e-mails and Cognito ids."""


def import_users(
    people: Iterable[LegacyUser], *, dry_run: bool = False, keep_cognito_ids: bool = True
) -> Iterator[ImportResult]:
    """Let them in, one after the other; each is stored when it is yielded.

    Who is here already is who moved in before, or has their uuid, or their Cognito user, or both their handle and their
    e-mail. Whose row was not known then is completed. Without `keep_cognito_ids` they wait for the users of another
    pool: `update_cognito_user_ids` ties them by handle and verified e-mail.
    """
    arriving = DryRunUserImporter() if dry_run else UserImporter()
    rest = iter(people)
    while batch := list(islice(rest, BATCH)):
        arriving.look_up(batch)
        for old in batch:
            yield arriving.arrive(old if keep_cognito_ids else replace(old, cognito_user_id=MOCK))


@dataclass
class UserImporter:
    """Does it."""

    known: dict[UUID, MovedIn] = field(default_factory=dict)
    """Those of the batch who moved in before."""

    def look_up(self, batch: list[LegacyUser]) -> None:
        found = MovedIn.objects.select_related("person").filter(pk__in=[old.uuid for old in batch])
        self.known = {each.old_uuid: each for each in found}

    def arrive(self, old: LegacyUser) -> ImportResult:
        if moved := self.known.get(old.uuid):
            if moved.placeholder and not old.placeholder and not moved.person.is_leaving:
                return self.complete(old, moved)
            return ImportResult(old, moved.person.pk, "found", left=moved.person.is_leaving)
        if person := namesake(old):
            outcome: Outcome = "found" if person.pk == old.uuid else "matched"
            self.remember(old, person)
            return ImportResult(old, person.pk, outcome, left=person.is_leaving)
        return self.make(old)

    def remember(self, old: LegacyUser, person: User) -> None:
        self.known[old.uuid] = MovedIn.objects.create(old_uuid=old.uuid, person=person)

    def make(self, old: LegacyUser) -> ImportResult:
        person, remarks = person_of(old)
        with transaction.atomic():
            person.save(force_insert=True)
            if old.created_at:
                # The field sets itself to now when a row is made.
                User.objects.filter(pk=person.pk).update(created_at=min(old.created_at, timezone.now()))
            moved = MovedIn.objects.create(old_uuid=old.uuid, person=person, placeholder=old.placeholder)
        self.known[old.uuid] = moved
        return ImportResult(old, person.pk, "placeholder" if old.placeholder else "created", remarks=remarks)

    def complete(self, old: LegacyUser, moved: MovedIn) -> ImportResult:
        """Give a placeholder what the row says; who has signed in since stays as they are."""
        person = moved.person
        waits = person.cognito_user_id == MOCK
        wanted, remarks = person_of(old, instead_of=person)
        if waits:
            for name in ("handle", "display_name", "email", "bio", "cognito_user_id"):
                setattr(person, name, getattr(wanted, name))
        self.save_completed(person, moved)
        return ImportResult(old, person.pk, "completed", remarks=remarks if waits else ())

    def save_completed(self, person: User, moved: MovedIn) -> None:
        moved.placeholder = False
        with transaction.atomic():
            person.save(update_fields=["handle", "display_name", "email", "bio", "cognito_user_id"])
            moved.save(update_fields=["placeholder"])


@dataclass
class DryRunUserImporter(UserImporter):
    """Says what would be done; of two who want one handle it does not know which would get it."""

    claimed: dict[UUID, UUID] = field(default_factory=dict)
    """By person: who of the old system they would be."""

    def remember(self, old: LegacyUser, person: User) -> None:
        self.claimed[person.pk] = old.uuid

    def arrive(self, old: LegacyUser) -> ImportResult:
        person = namesake(old) if old.uuid not in self.known else None
        if person and self.claimed.get(person.pk, old.uuid) != old.uuid:
            return self.make(old)
        return super().arrive(old)

    def make(self, old: LegacyUser) -> ImportResult:
        person, remarks = person_of(old)
        return ImportResult(old, person.pk, "placeholder" if old.placeholder else "created", remarks=remarks)

    def save_completed(self, person: User, moved: MovedIn) -> None:
        """Leave the rows as they are."""


def namesake(old: LegacyUser) -> User | None:
    """Who of those here somebody of the old system is, unless somebody else of it is that one already.

    By handle alone anyone could take another's conversations: the e-mail has to be the same, too.
    """
    candidates = [User.objects.filter(pk=old.uuid).first()]
    if not old.placeholder and identifies_someone(old.cognito_user_id):
        candidates.append(User.objects.filter(cognito_user_id=old.cognito_user_id).first())
    if not old.placeholder and old.email and old.handle:
        same = User.objects.filter(handle_skeleton=skeleton(old.handle), email__iexact=old.email).first()
        candidates.append(same if same and same.handle.casefold() == old.handle.casefold() else None)
    for person in filter(None, candidates):
        if not MovedIn.objects.filter(person=person).exists():
            return person
    return None


def person_of(old: LegacyUser, *, instead_of: User | None = None) -> tuple[User, tuple[str, ...]]:
    """The person whom somebody of the old system becomes, not saved yet; and what is not as it was there.

    `instead_of` is the placeholder whose row they take: what only it has is free.
    """
    remarks: list[str] = []
    handle = free_handle_like(old, instead_of)
    if handle != old.handle:
        remarks.append(f"The handle {old.handle or '(none)'} cannot be had: it is {handle} now.")
    name = " ".join(old.display_name.split())
    if is_blank(name):
        name = handle if old.handle else UNKNOWN_NAME
    if len(name) > DISPLAY_NAME_MAX_CHARS:
        remarks.append(f"The name was cut at {DISPLAY_NAME_MAX_CHARS} characters.")
    if len(old.bio) > BIO_MAX_CHARS:
        remarks.append(f"The bio of {len(old.bio):,} characters was cut at {BIO_MAX_CHARS}.")
    email = old.email if is_email(old.email) else ""
    if old.email and not email:
        remarks.append("The e-mail is not valid: this person has none here.")
    sub = old.cognito_user_id if identifies_someone(old.cognito_user_id) else MOCK
    if sub != MOCK and User.objects.filter(cognito_user_id=sub).exists():
        remarks.append("The Cognito user is somebody else's already: this person waits for another.")
        sub = MOCK
    person = User(
        uuid=old.uuid,
        handle=handle,
        display_name=name[:DISPLAY_NAME_MAX_CHARS].strip(),
        email=email,
        bio=old.bio[:BIO_MAX_CHARS],
        cognito_user_id=sub,
    )
    person.set_unusable_password()
    return person, tuple(remarks)


def free_handle_like(old: LegacyUser, instead_of: User | None) -> str:
    """The old handle where it can be had, otherwise one like it: other characters replaced, a number at its end."""
    bare = re.sub(r"\W", "_", old.handle.strip().removeprefix("@"))
    wishes = [old.handle, bare, *(f"{bare[: HANDLE_MAX_CHARS - 3]}_{number}" for number in range(2, 10))]
    for wish in (*(wishes if bare else ()), NAMELESS.format(old.uuid.hex[:8])):
        try:
            handle = validate_handle(wish)
        except HandleError:
            continue
        owner = User.objects.filter(handle_skeleton=skeleton(handle)).first()
        if owner is None or owner == instead_of:
            return handle
    return NAMELESS.format(old.uuid.hex[: HANDLE_MAX_CHARS - len(NAMELESS.format(""))])


def is_email(text: str) -> bool:
    try:
        validate_email(text)
    except ValidationError:
        return False
    return len(text) <= EMAIL_MAX_CHARS
