"""Cache rendered fragments that recur on pages, such as rows of the list and messages."""

from __future__ import annotations

from functools import lru_cache

from django import template
from django.template.loader import get_template
from django.utils.safestring import SafeString
from django.utils.translation import get_language

register = template.Library()

CACHE_SIZE = 4096
"""Fragments kept in each process, least recently used evicted first: 6 MB at 1.5 KB each."""


@register.simple_tag
def fragment(template_name: str, **values: object) -> SafeString:
    """Include a template as `include … with … only` does, rendered once per values: `{% fragment "a.html" row=row %}`.

    For templates that depend only on these values and the active language, not on the request, the time or the time
    zone. Values must be hashable; the cache is keyed by everything the template shows, so it cannot go stale.
    """
    return rendered(template_name, get_language(), tuple(values.items()))


@lru_cache(maxsize=CACHE_SIZE)
def rendered(template_name: str, language: str | None, values: tuple[tuple[str, object], ...]) -> SafeString:
    return SafeString(get_template(template_name).render(dict(values)))
