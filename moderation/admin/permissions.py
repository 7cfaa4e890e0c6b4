"""Who may what in the admin's models: nobody adds or deletes; moderators look; see `users.permissions`."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest

from users.admin_lookups import AllowListAdmin
from users.models import User
from users.permissions import moderates


class LookedAtAdmin(AllowListAdmin):
    """A model that moderators look at and nobody changes here."""

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
    """Return who acts: the admin lets nobody else here."""
    if not isinstance(request.user, User):
        raise TypeError("nobody is signed in")
    return request.user
