"""The request of someone signed in, for annotations behind `login_required`."""

from django.http import HttpRequest

from .models import User


class AuthenticatedHttpRequest(HttpRequest):
    user: User
