"""Load a page's scripts."""

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
def entry_script(context: Context, entry: str) -> SafeString:
    """Load the entry module static/js/app.js for `{% entry_script "app" %}`, with the import map that it needs.

    Browsers support inline import maps only; a nonce admits it through the content security policy. A page rendered
    without a request (the error 500) has no nonce and therefore no script. Joined modules need no import map.
    """
    script = format_html('<script type="module" src="{}"></script>', static(f"js/{entry}.js"))
    if getattr(staticfiles_storage, "joins_modules", False):
        return script
    nonce = getattr(context.get("request"), "csp_nonce", None)
    if nonce is None:
        return SafeString()
    imports = mark_safe(import_map())  # noqa: S308 # the names of our own files
    return format_html('<script type="importmap" nonce="{}">{}</script>\n{}', str(nonce), imports, script)
