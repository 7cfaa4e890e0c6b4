"""Whom a person blocks, on pages about people: from the list in Postgres, so that those need no DynamoDB."""

from __future__ import annotations

from typing import Any

from django import template
from django.template import Context

from messaging.blocking import blocked_by
from messaging.presentation.faces import face
from users.models import User
from users.people import people_by_uuid

register = template.Library()


@register.simple_tag
def blocks(person: User, other: User) -> bool:
    """`{% blocks user person as blocked %}`: whether the first blocks the second."""
    return other.uuid in blocked_by(person.uuid)


@register.inclusion_tag("messaging/_blocked_users.html", takes_context=True)
def blocked_people(context: Context, person: User) -> dict[str, Any]:
    """`{% blocked_people user %}`: whom the person blocks, each with a button that ends it."""
    uuids = blocked_by(person.uuid)
    people = people_by_uuid(uuids)
    return {
        "blocked": [(uuid, face(people.get(uuid))) for uuid in uuids],
        "csrf_token": context.get("csrf_token"),
    }
