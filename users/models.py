"""The person model, used as Django's auth user."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from typing import ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.db import models
from django.db.models.functions import Lower
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from .handles import HANDLE_MAX_CHARS, skeleton, validate_handle
from .search_index import search_text

# Placeholder in `cognito_user_id` until the person's Cognito user is known.
MOCK = "MOCK"
COGNITO_USER_ID_MAX_CHARS = 64
DISPLAY_NAME_MAX_CHARS = 64
BIO_MAX_CHARS = 160
ANYONE, NOBODY = "anyone", "nobody"
MAY_WRITE = ((ANYONE, _("Anyone")), (NOBODY, _("Nobody")))


class UserManager(BaseUserManager["User"]):
    """Finds and creates people. Cognito keeps the passwords."""

    def get_by_natural_key(self, username: str | None) -> User:
        return self.get(handle_skeleton=skeleton(username or ""), handle__iexact=username)

    def create_user(self, *, handle: str, **fields: object) -> User:
        """Save and return a new person without a password.

        Raises `users.handles.HandleError` for what can be no handle and IntegrityError for a handle (or one that
        looks like it) or a Cognito user id that someone else has.
        """
        user = self.model(handle=validate_handle(handle), **fields)
        user.set_unusable_password()
        user.save(using=self._db, force_insert=True)
        return user


class User(AbstractBaseUser, PermissionsMixin):
    """A person. Conversations store only the uuid, never names or handles.

    The handle is set once. `handle_skeleton` and `search_text` are computed from handle and name at each save.
    """

    uuid = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    handle = models.CharField(max_length=HANDLE_MAX_CHARS)
    handle_skeleton = models.TextField(unique=True, editable=False)
    display_name = models.CharField("name", max_length=DISPLAY_NAME_MAX_CHARS)
    email = models.EmailField("e-mail", blank=True)
    cognito_user_id = models.CharField("Cognito user id", max_length=COGNITO_USER_ID_MAX_CHARS, default=MOCK)
    bio = models.CharField(max_length=BIO_MAX_CHARS, blank=True)
    created_at = models.DateTimeField("created", auto_now_add=True)
    may_write = models.CharField("who may write first", max_length=8, choices=MAY_WRITE, default=ANYONE)
    requested_at = models.DateTimeField("last request", null=True, blank=True, editable=False)
    """When the last message request arrived; None once no request is known to wait."""
    is_active = models.BooleanField("active", default=True)
    is_staff = models.BooleanField("may use the admin", default=False)
    has_notice = models.BooleanField(default=False, editable=False)
    """Whether a notice waits to be shown. Kept here so that pages need no further query."""
    deletion_asked_at = models.DateTimeField(null=True, blank=True, editable=False)
    """When the person asked to delete the account. From then on it is hidden and cannot sign in."""
    deleted_at = models.DateTimeField(null=True, blank=True, editable=False)
    """When the deletion finished. The row then holds only the uuid and the reserved handle's skeleton."""
    # No index: substring search would need an extension's, and searching 100,000 people takes 10 to 35 ms without.
    search_text = models.TextField(editable=False)

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "handle"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["display_name"]

    class Meta:
        verbose_name = "person"
        verbose_name_plural = "people"
        constraints = [
            models.UniqueConstraint(Lower("handle"), name="user_handle_unique_whatever_the_case"),
            models.UniqueConstraint(
                fields=["cognito_user_id"],
                condition=~models.Q(cognito_user_id=MOCK),
                name="user_cognito_user_id_unique_unless_mock",
            ),
            models.CheckConstraint(condition=~models.Q(handle=""), name="user_handle_not_empty"),
            models.CheckConstraint(condition=~models.Q(cognito_user_id=""), name="user_cognito_user_id_not_empty"),
            models.CheckConstraint(
                condition=models.Q(deletion_asked_at=None) | models.Q(is_active=False, is_staff=False),
                name="user_who_is_deleted_stays_out",
            ),
            models.CheckConstraint(
                condition=models.Q(deleted_at=None) | models.Q(deletion_asked_at__isnull=False),
                name="user_is_deleted_when_that_was_asked_for",
            ),
        ]
        indexes = [
            # The admin's list, newest first.
            models.Index(fields=["-created_at"], name="user_created_at"),
            models.Index(
                fields=["deletion_asked_at"],
                condition=models.Q(deletion_asked_at__isnull=False, deleted_at=None),
                name="users_to_delete",
            ),
        ]

    def __str__(self) -> str:
        return f"@{self.handle}"

    def save(
        self,
        *,
        force_insert: bool | tuple[models.base.ModelBase, ...] = False,
        force_update: bool = False,
        using: str | None = None,
        update_fields: Iterable[str] | None = None,
    ) -> None:
        if self.deleted_at is None:
            self.handle_skeleton = skeleton(self.handle)
            self.search_text = search_text(handle=self.handle, display_name=self.display_name)
        if update_fields is not None and {"handle", "display_name"} & set(update_fields):
            update_fields = {*update_fields, "handle_skeleton", "search_text"}
        super().save(force_insert=force_insert, force_update=force_update, using=using, update_fields=update_fields)

    @property
    def is_leaving(self) -> bool:
        """Whether the deletion of the account was asked for, or is done."""
        return self.deletion_asked_at is not None

    def get_absolute_url(self) -> str:
        return reverse("profile", args=[self.handle])

    def get_full_name(self) -> str:
        return self.display_name

    def get_short_name(self) -> str:
        return self.display_name


class MovedIn(models.Model):
    """Maps a user of the old system to a person. Written once, so that nobody is imported twice."""

    old_uuid = models.UUIDField(primary_key=True)
    person = models.OneToOneField(User, models.CASCADE, related_name="+")
    """Unique: if two old users became one person, their conversation would have a single member."""
    placeholder = models.BooleanField(default=False)
    """Whether only conversations mention this user: the old users table had no such row when it was read."""

    def __str__(self) -> str:
        return f"{self.old_uuid} is {self.person_id}"
