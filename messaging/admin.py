"""People in Django admin, as `users.admin` has them, and what closing an account means for their open pages."""

from __future__ import annotations

from django.contrib import admin
from django.forms import ModelForm
from django.http import HttpRequest

from users.admin import PersonAdmin
from users.models import User

from .live import publishing

admin.site.unregister(User)


@admin.register(User)
class LivePersonAdmin(PersonAdmin):
    """Closing an account also ends the streams of whoever used it, at once."""

    def save_model(self, request: HttpRequest, obj: User, form: ModelForm[User], change: bool) -> None:
        super().save_model(request, obj, form, change)
        if not obj.is_active:
            publishing.person_kicked(obj.uuid)
