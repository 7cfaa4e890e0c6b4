"""Where to go after a form or a sign-in."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponseRedirect
from django.shortcuts import resolve_url
from django.utils.encoding import iri_to_uri
from django.utils.http import url_has_allowed_host_and_scheme


class HttpResponseSeeOther(HttpResponseRedirect):
    """A redirect that is always followed by GET."""

    status_code = 303


def safe_next(request: HttpRequest, url: str | None) -> str:
    """Return the address, in ASCII, if it is one of this site, else that of the conversations."""
    # urlsplit normalises a host that is not ASCII, which takes long for many combining marks.
    if url and not url.isascii():
        url = iri_to_uri(url)
    if url and url_has_allowed_host_and_scheme(
        url, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    ):
        return url
    return resolve_url(settings.LOGIN_REDIRECT_URL)


def asked_next(request: HttpRequest) -> str:
    """`safe_next` of the form's or the query's `next`."""
    return safe_next(request, request.POST.get("next") or request.GET.get("next"))
