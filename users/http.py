"""Types for requests of signed-in users, and redirects within this site."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponseRedirect
from django.shortcuts import resolve_url
from django.utils.encoding import iri_to_uri
from django.utils.http import url_has_allowed_host_and_scheme

from .models import User


class AuthenticatedHttpRequest(HttpRequest):
    """The request of a view behind `login_required`, for annotations."""

    user: User


class HttpResponseSeeOther(HttpResponseRedirect):
    """A redirect that is always followed by GET."""

    status_code = 303


def safe_next(request: HttpRequest, url: str | None) -> str:
    """Return `url` in ASCII if it is an address of this site, else the address of the conversations."""
    # urlsplit normalizes a non-ASCII host, which is slow for many combining marks.
    if url and not url.isascii():
        url = iri_to_uri(url)
    if url and url_has_allowed_host_and_scheme(
        url, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    ):
        return url
    return resolve_url(settings.LOGIN_REDIRECT_URL)


def requested_next(request: HttpRequest) -> str:
    """Return `safe_next` of the `next` in the form or the query."""
    return safe_next(request, request.POST.get("next") or request.GET.get("next"))
