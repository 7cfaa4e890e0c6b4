"""The web app manifest: what a browser needs to install the site as an app."""

from __future__ import annotations

from django.http import HttpRequest, JsonResponse
from django.templatetags.static import static
from django.urls import reverse
from django.utils.translation import get_language, get_language_bidi
from django.utils.translation import gettext as _
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

NIGHT = "#0e031c"
SIZES = (192, 512)
HOUR = 3600  # seconds


@require_safe
@cache_control(max_age=HOUR)
def manifest(request: HttpRequest) -> JsonResponse:
    start = reverse("conversations")
    content = {
        "id": start,
        "start_url": start,
        "scope": "/",
        "name": "Cruddur Messages",
        "short_name": "Cruddur",
        "description": _("Direct messages between two people"),
        "lang": get_language(),
        "dir": "rtl" if get_language_bidi() else "ltr",
        "display": "standalone",
        "theme_color": NIGHT,
        "background_color": NIGHT,
        "icons": [
            {"src": static("favicon.svg"), "type": "image/svg+xml", "sizes": "any"},
            *(_icon(f"icons/icon-{size}.png", size, "any") for size in SIZES),
            *(_icon(f"icons/maskable-{size}.png", size, "maskable") for size in SIZES),
        ],
        "shortcuts": [{"name": _("New conversation"), "url": reverse("new_conversation")}],
    }
    return JsonResponse(content, content_type="application/manifest+json")


def _icon(name: str, size: int, purpose: str) -> dict[str, str]:
    return {"src": static(name), "type": "image/png", "sizes": f"{size}x{size}", "purpose": purpose}
