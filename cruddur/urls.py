"""Every address of the site."""

from django.contrib import admin
from django.urls import include, path

from cruddur.web.manifest import manifest

urlpatterns = [
    path("", include("users.urls")),
    path("", include("messaging.urls")),
    path("", include("moderation.urls")),
    path("oidc/", include("mozilla_django_oidc.urls")),
    path("manifest.webmanifest", manifest, name="manifest"),
    path("admin/", admin.site.urls),
]

handler400 = "cruddur.web.errors.bad_request"
handler403 = "cruddur.web.errors.forbidden"
handler404 = "cruddur.web.errors.not_found"
handler500 = "cruddur.web.errors.server_error"
