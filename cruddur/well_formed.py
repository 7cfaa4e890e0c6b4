"""Reject requests that contain NUL or invalid UTF-8: no browser's form or link makes such."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import unquote_to_bytes

from django.http import HttpRequest, HttpResponse

from .errors import bad_request

GetResponse = Callable[[HttpRequest], HttpResponse]
FORM = "application/x-www-form-urlencoded"


class WellFormedMiddleware:
    """Answer 400 to those before a view, or Postgres, has to make sense of them."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request) if is_well_formed(request) else bad_request(request)


def is_well_formed(request: HttpRequest) -> bool:
    """Return whether path, query and form are text. Read the body."""
    # Invalid UTF-8 in a path is no concern here: Django escapes it again.
    if "\x00" in request.path_info:
        return False
    if not _is_text(unquote_to_bytes(request.META.get("QUERY_STRING", ""))):
        return False
    if request.method != "POST":
        return True
    if request.content_type == FORM:
        return _is_text(unquote_to_bytes(request.body))
    return not any("\x00" in value for _name, values in request.POST.lists() for value in values)


def _is_text(content: bytes) -> bool:
    try:
        return "\x00" not in content.decode()
    except UnicodeDecodeError:
        return False
