"""People, as Django's auth user."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.db import models
from django.db.models.functions import Lower
from django.urls import reverse

# What stands in `cognito_user_id` until the person's Cognito user is known.
MOCK = "MOCK"


class UserManager(BaseUserManager["User"]):
    """Finds and makes people; nobody has a password here, Cognito keeps those."""

    def get_by_natural_key(self, username: str | None) -> User:
        return self.get(handle__iexact=username)

    def create_user(self, *, handle: str, **fields: object) -> User:
        """Save and return a new person without a password."""
        user = self.model(handle=handle, **fields)
        user.set_unusable_password()
        user.save(using=self._db)
        return user


class User(AbstractBaseUser, PermissionsMixin):
    """A person. The uuid is what conversations know; names and handles are never copied into them."""

    uuid = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    handle = models.CharField(max_length=30)
    display_name = models.CharField("name", max_length=64)
    email = models.EmailField("e-mail", blank=True)
    cognito_user_id = models.CharField("Cognito user id", max_length=64, default=MOCK)
    bio = models.CharField(max_length=160, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    is_active = models.BooleanField("active", default=True)
    is_staff = models.BooleanField("may use the admin", default=False)

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
        ]

    def __str__(self) -> str:
        return f"@{self.handle}"

    def get_absolute_url(self) -> str:
        return reverse("profile", args=[self.handle])

    def get_full_name(self) -> str:
        return self.display_name

    def get_short_name(self) -> str:
        return self.display_name
