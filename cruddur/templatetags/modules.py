"""How a page loads its scripts."""

from __future__ import annotations

from django import template
from django.contrib.staticfiles.storage import staticfiles_storage
from django.template.context import Context
from django.templatetags.static import static
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from cruddur.assets.bundle import import_map

register = template.Library()


@register.simple_tag(takes_context=True)
def modules(context: Context, entry: str) -> SafeString:
    """`{% modules "app" %}`: the entry module static/js/app.js, and the import map that its imports need.

    The map is inline, as browsers know no other; a nonce for this one script lets it through the policy. A page that
    is rendered without a request, as the one of our mistakes, has no nonce and no script. Joined modules need no map.
    """
    script = format_html('<script type="module" src="{}"></script>', static(f"js/{entry}.js"))
    if getattr(staticfiles_storage, "joins_modules", False):
        return script
    nonce = getattr(context.get("request"), "csp_nonce", None)
    if nonce is None:
        return SafeString()
    imports = mark_safe(import_map())  # noqa: S308 # the names of our own files
    return format_html('<script type="importmap" nonce="{}">{}</script>\n{}', str(nonce), imports, script)
