"""django-postman's own pages."""

from django.urls import include, path

from tools.bench.bare.urls import page

urlpatterns = [path("messages/", include("postman.urls", namespace="postman")), path("landing", page, name="landing")]
