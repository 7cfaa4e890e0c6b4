"""Reject requests that contain NUL or invalid UTF-8: no browser's form or link makes such."""

from __future__ import annotations

import codecs
from typing import Any
from urllib.parse import unquote_to_bytes

from django.http import HttpRequest, HttpResponse
from django.utils.http import parse_header_parameters

from cruddur.asgi_types import Application, Scope

from .errors import bad_request
from .middleware import GetResponse

FORM = "application/x-www-form-urlencoded"
CONTENT_TYPE, ACCEPT, COOKIE = b"content-type", b"accept", b"cookie"
PARSED_BYTES = 1000
"""Of an Accept or Content-Type, of which browsers send 200: parsing quotes and semicolons takes the square of them."""
ESCAPES = 200
"""Backslashes of a Cookie; Python before 3.11.10 and 3.12.6 takes their square to unquote them (CVE-2024-7592)."""
NOT_UTF8 = "cruddur.not_utf8"
"""The scope's note for the middleware."""
MULTIPART = "multipart/form-data"
REPLACEMENT = "\ufffd"
"""What Django puts in the place of bytes that it cannot decode."""


class RejectMalformed:
    """ASGI application ahead of Django, which fails at some headers before any of our code can answer.

    Django decodes the query by the charset of a body, and fails at one such as rot13: remove a charset that is not
    UTF-8. Django also decodes parameters that name an encoding themselves (`a*=rot13''b`): remove the parameters of a
    Content-Type with one that cannot be decoded, and drop such an Accept. What is wrong with the body is noted in the
    scope for the middleware. Headers that take the square of their length to parse are treated the same way.
    """

    def __init__(self, application: Application) -> None:
        self._application = application

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            headers = []
            for name, value in scope["headers"]:
                if (name == ACCEPT and not _is_parsed(value)) or (name == COOKIE and value.count(b"\\") > ESCAPES):
                    continue
                kept = _in_utf8(value) if name == CONTENT_TYPE else value
                if kept != value:
                    scope = {**scope, NOT_UTF8: True}
                headers.append((name, kept))
            scope = {**scope, "headers": headers}
        await self._application(scope, receive, send)


def _in_utf8(content_type: bytes) -> bytes:
    """Return the header as it is, or what of it Django can parse and decodes as UTF-8."""
    text = content_type.decode("latin-1")
    if len(text) > PARSED_BYTES:
        return text.partition(";")[0][:PARSED_BYTES].encode("latin-1")
    try:
        kind, params = parse_header_parameters(text)
    except ValueError:
        return text.partition(";")[0].encode("latin-1")
    if _is_utf8(params.get("charset", "utf-8")):
        return content_type
    kept = "".join(f"; {name}={value}" for name, value in params.items() if name != "charset")
    return f"{kind}{kept}".encode("latin-1", errors="replace")


def _is_parsed(accept: bytes) -> bool:
    """Return whether Django can parse this list of kinds."""
    if len(accept) > PARSED_BYTES:
        return False
    try:
        for each in accept.decode("latin-1").split(","):
            parse_header_parameters(each)
    except ValueError:
        return False
    return True


class RejectMalformedMiddleware:
    """Answer 400 to malformed requests before they reach a view or Postgres."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if is_valid(request):
            return self.get_response(request)
        # The page that says so reads the query, too, which some encodings cannot do at all.
        request.encoding = "utf-8"
        return bad_request(request)


def is_valid(request: HttpRequest) -> bool:
    """Return whether path, query and form are text. Read the body."""
    # Invalid UTF-8 in a path is harmless: Django escapes it again. By the charset it decodes the query, too.
    return (
        not getattr(request, "scope", {}).get(NOT_UTF8)
        and "\x00" not in request.path_info
        and _is_utf8((request.content_params or {}).get("charset", "utf-8"))
        and _is_text(unquote_to_bytes(request.META.get("QUERY_STRING", "")))
        and (request.method != "POST" or _is_body_text(request))
    )


def _is_body_text(request: HttpRequest) -> bool:
    if request.content_type == FORM:
        return _is_text(unquote_to_bytes(request.body))
    return request.content_type != MULTIPART or _is_multipart_text(request)  # no other body is read


def _is_multipart_text(request: HttpRequest) -> bool:
    """Return whether all of a multipart body is text. The site takes no uploads, so parts of files must be, too."""
    if not _is_text(request.body):
        return False
    # A part may be encoded once more, as base64: of what was decoded there the parser's own mark is left.
    marked = REPLACEMENT.encode() in request.body
    return not any(
        "\x00" in text or (REPLACEMENT in text and not marked)
        for name, values in request.POST.lists()
        for text in (name, *values)
    )


def _is_utf8(charset: str) -> bool:
    try:
        return codecs.lookup(charset).name == "utf-8"
    except LookupError:
        return False


def _is_text(content: bytes) -> bool:
    try:
        return "\x00" not in content.decode()
    except UnicodeDecodeError:
        return False
