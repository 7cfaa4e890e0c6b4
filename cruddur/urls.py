"""Every address of the site."""

from django.contrib import admin
from django.urls import include, path

from cruddur.manifest import manifest

urlpatterns = [
    path("", include("users.urls")),
    path("", include("messaging.urls")),
    path("", include("moderation.urls")),
    path("oidc/", include("mozilla_django_oidc.urls")),
    path("manifest.webmanifest", manifest, name="manifest"),
    path("admin/", admin.site.urls),
]

handler400 = "cruddur.errors.bad_request"
handler403 = "cruddur.errors.forbidden"
handler404 = "cruddur.errors.not_found"
handler500 = "cruddur.errors.server_error"
