"""Components of pages: icons, avatars, and the users that somebody blocks."""

from __future__ import annotations

from functools import cache
from typing import Any

from django import template
from django.template import Context
from django.templatetags.static import static
from django.utils.html import format_html
from django.utils.safestring import SafeString

from messaging.actions.block import blocked_by
from messaging.presenters import avatar
from messaging.presenters.avatar import PersonView
from users.models import User
from users.people import people_by_uuid

register = template.Library()


@register.simple_tag
@cache
def icon(name: str, modifiers: str = "") -> SafeString:
    """Render `{% icon "send" "icon--flip" %}` from the sprite, hidden from screen readers: put a text beside it."""
    return format_html(
        '<svg class="icon{}" aria-hidden="true"><use href="{}#i-{}"/></svg>',
        f" {modifiers}" if modifiers else "",
        static("icons.svg"),
        name,
    )


@register.filter
def person_view(user: User) -> PersonView:
    """Return `{{ user|person_view }}`, which `partials/avatar.html` shows."""
    return avatar.person_view(user)


@register.simple_tag
def blocks(user: User, other: User) -> bool:
    """Return `{% blocks user person as blocked %}`: whether `user` blocks `other`, from Postgres (no DynamoDB call)."""
    return other.uuid in blocked_by(user.uuid)


@register.inclusion_tag("messaging/_blocked_users.html", takes_context=True)
def blocked_users(context: Context, user: User) -> dict[str, Any]:
    """Render `{% blocked_users user %}`: the users that `user` blocks, each with a button to unblock them."""
    uuids = blocked_by(user.uuid)
    people = people_by_uuid(uuids)
    return {
        "blocked_users": [(uuid, avatar.person_view(people.get(uuid))) for uuid in uuids],
        "csrf_token": context.get("csrf_token"),
    }
