"""Permissions in the admin: nobody adds or deletes; moderators view; see `users.permissions`."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest

from users.admin_lookups import AllowListAdmin
from users.models import User
from users.permissions import moderates


class ReadOnlyAdmin(AllowListAdmin):
    """A model that moderators view and nobody changes here."""

    actions = None

    def has_module_permission(self, request: HttpRequest) -> bool:
        return moderates(request.user)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return moderates(request.user)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


def moderator_of(request: HttpRequest) -> User:
    """Return the signed-in moderator: the admin requires one."""
    if not isinstance(request.user, User):
        raise TypeError("nobody is signed in")
    return request.user
