"""Django admin for the members of Cognito's group `admins`; nobody signs in here with a password."""

from __future__ import annotations

from typing import Any, NoReturn

from django.contrib.admin import AdminSite
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, URLResolver

from users.cognito.views import SignOutView

from .http import requested_next


class CruddurAdminSite(AdminSite):
    """Signs in and out through Cognito. A signed-in user without the right gets 403 instead of a sign-in page."""

    site_header = site_title = "Cruddur Messages admin"
    index_title = "Administration"
    site_url = "/messages"
    enable_nav_sidebar = False  # it would take up space to list a single entry

    def get_urls(self) -> list[URLResolver | URLPattern]:
        """Leave out Django's address that leads from a number to any row of any table: see AllowListAdmin."""
        return [each for each in super().get_urls() if getattr(each, "name", None) != "view_on_site"]

    def has_permission(self, request: HttpRequest) -> bool:
        """Return False for visitors; raise PermissionDenied for users without the right."""
        allowed = super().has_permission(request)
        if not allowed and request.user.is_authenticated:
            raise PermissionDenied
        return allowed

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        if self.has_permission(request):
            return redirect("admin:index")
        return redirect_to_login(requested_next(request) if "next" in request.GET else "/admin/")

    def logout(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:  # type: ignore[override]
        response: HttpResponse = SignOutView.as_view()(request)
        return response

    def password_change(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> NoReturn:
        raise Http404("Cognito keeps the passwords.")
