"""People in Django admin: search, view and rename; no creation or deletion. `moderation.admin.people` extends it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from django.contrib import admin
from django.contrib.auth import admin as auth_admin  # noqa: F401 - registers groups, which are taken out below
from django.contrib.auth.models import Group
from django.db.models import Q, QuerySet
from django.http import HttpRequest

from .admin_lookups import AllowListAdmin, is_moment, one_of
from .forms import SettingsForm
from .models import MOCK, User

STATES = {
    "mock": Q(cognito_user_id=MOCK),
    "linked": ~Q(cognito_user_id=MOCK),
    "admin": Q(is_staff=True),
}


class CognitoStateFilter(admin.SimpleListFilter):
    """Filter by whether a person waits for a Cognito user, is linked to one, or is an administrator in Cognito."""

    title = "Cognito state"
    parameter_name = "cognito"

    def lookups(self, _request: HttpRequest, _model_admin: admin.ModelAdmin[User]) -> Sequence[tuple[str, str]]:
        return [("mock", "MOCK"), ("linked", "linked"), ("admin", "admin")]

    def queryset(self, _request: HttpRequest, queryset: QuerySet[User]) -> QuerySet[User]:
        state = STATES.get(self.value() or "")
        return queryset.filter(state) if state is not None else queryset


@admin.register(User)
class PersonAdmin(AllowListAdmin):
    """The form edits what people may edit themselves. The rest belongs to Cognito or needs a confirmed action."""

    form = SettingsForm
    list_display = ("handle", "display_name", "email", "cognito_state", "is_active", "created")
    list_filter = (CognitoStateFilter, "is_active", "is_staff", "created_at")
    allowed_lookups: ClassVar = {
        "cognito": one_of(*STATES),
        "is_active__exact": one_of("0", "1"),
        "is_staff__exact": one_of("0", "1"),
        "created_at__gte": is_moment,
        "created_at__lt": is_moment,
    }
    search_fields = ("handle", "display_name", "search_text", "email", "uuid", "cognito_user_id")
    search_help_text = "Name, handle, e-mail, uuid or Cognito user id"
    ordering = ("-created_at", "handle")
    list_per_page = 50
    show_full_result_count = False
    fieldsets: ClassVar = [
        (None, {"fields": ["handle", "display_name", "bio", "is_active"]}),
        ("Cognito", {"fields": ["email", "cognito_user_id", "is_staff", "is_superuser"]}),
        ("Record", {"fields": ["uuid", "created_at", "last_login"]}),
    ]
    readonly_fields = (
        "uuid", "handle", "cognito_user_id", "email", "created_at", "last_login", "is_active", "is_staff",
        "is_superuser",
    )  # fmt: skip

    @admin.display(description="Cognito", ordering="cognito_user_id")
    def cognito_state(self, person: User) -> str:
        if person.cognito_user_id == MOCK:
            return "MOCK"
        return "admin" if person.is_staff else "linked"

    @admin.display(description="created", ordering="created_at")
    def created(self, person: User) -> str:
        return f"{person.created_at:%Y-%m-%d}"

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return False


# Rights come only from Cognito's groups.
admin.site.unregister(Group)
