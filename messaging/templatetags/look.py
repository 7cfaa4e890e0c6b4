"""What templates need to draw: icons, and people as faces."""

from __future__ import annotations

from functools import cache

from django import template
from django.templatetags.static import static
from django.utils.html import format_html
from django.utils.safestring import SafeString

from messaging.presenters import avatar
from messaging.presenters.avatar import Face
from users.models import User

register = template.Library()


@register.simple_tag
@cache
def icon(name: str, modifiers: str = "") -> SafeString:
    """`{% icon "send" "icon--flip" %}`: an icon of the sprite, hidden from who listens; words stand beside it."""
    return format_html(
        '<svg class="icon{}" aria-hidden="true"><use href="{}#i-{}"/></svg>',
        f" {modifiers}" if modifiers else "",
        static("icons.svg"),
        name,
    )


@register.filter
def face(person: User) -> Face:
    """`{{ person|face }}`: the person as `partials/avatar.html` wants them."""
    return avatar.face(person)
