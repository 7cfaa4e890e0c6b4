"""Import the users of the old system: match those who already have an account, create the others.

`MovedIn` records who became who. Repeated runs therefore create nobody twice, and conversations keep their members even
if these have changed their e-mail or deleted their account since.
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
"""Users looked up together, in two statements; each new user takes a transaction."""
NAMELESS = "moved_{}"
"""The handle for users whose old handle, or a similar one, is not available; part of their uuid follows."""
UNKNOWN_NAME = "Unknown person"

Outcome = Literal["found", "matched", "completed", "created", "placeholder"]


@dataclass(frozen=True, slots=True)
class ImportResult:
    """The account that a user of the old system became."""

    old: LegacyUser
    uuid: UUID
    """The new uuid; in a dry run, that of the account that would be created."""
    outcome: Outcome
    left: bool = False
    """Whether they have deleted their account since."""
    remarks: tuple[str, ...] = ()
    """Sentences on differences from the old system, without e-mails and Cognito ids."""


def import_users(
    people: Iterable[LegacyUser], *, dry_run: bool = False, keep_cognito_ids: bool = True
) -> Iterator[ImportResult]:
    """Import users one by one; each is stored when it is yielded.

    A user matches the account they were imported as before, or one with their uuid, their Cognito user, or both their
    handle and e-mail. A placeholder is completed once its row is known. Without `keep_cognito_ids`, users wait for the
    users of another pool: `update_cognito_user_ids` links them by handle and verified e-mail.
    """
    arriving = DryRunUserImporter() if dry_run else UserImporter()
    rest = iter(people)
    while batch := list(islice(rest, BATCH)):
        arriving.look_up(batch)
        for old in batch:
            yield arriving.arrive(old if keep_cognito_ids else replace(old, cognito_user_id=MOCK))


@dataclass
class UserImporter:
    """Imports users into the database."""

    known: dict[UUID, MovedIn] = field(default_factory=dict)
    """The users of the batch who were imported before."""

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
                # The field is set to the current time when a row is inserted.
                User.objects.filter(pk=person.pk).update(created_at=min(old.created_at, timezone.now()))
            moved = MovedIn.objects.create(old_uuid=old.uuid, person=person, placeholder=old.placeholder)
        self.known[old.uuid] = moved
        return ImportResult(old, person.pk, "placeholder" if old.placeholder else "created", remarks=remarks)

    def complete(self, old: LegacyUser, moved: MovedIn) -> ImportResult:
        """Fill a placeholder from the user's row; leave accounts that have signed in since unchanged."""
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
    """Reports what would be done; if two users want one handle, it does not know which would get it."""

    claimed: dict[UUID, UUID] = field(default_factory=dict)
    """The old uuid that each account would be matched to."""

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
        """Skip the write."""


def namesake(old: LegacyUser) -> User | None:
    """Return the account that matches a user of the old system, unless another old user already has it.

    A handle alone is not enough, or anyone could take over another's conversations: the e-mail must match, too.
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
    """Return the account for a user of the old system, not saved yet, and remarks on what differs.

    `instead_of` is the placeholder they replace, whose handle they may take.
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
    """Return the old handle if it is available, else a similar one: characters replaced, a number appended."""
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
