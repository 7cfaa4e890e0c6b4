"""The menu of a message: edit, link, report, delete."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote

from cruddur.web.cached_urls import cached_url
from messaging.actions.edit_message import may_be_edited
from messaging.domain.entities import Message

from .dates import clock_time


@dataclass(frozen=True, slots=True)
class MessageMenu:
    """What the reader can do with one message."""

    created_at: str
    time: str
    url: str
    """The message in its conversation."""
    edit_url: str = ""
    """Empty when it is too late, or somebody else sent the message."""
    delete_url: str = ""
    """Empty when somebody else sent the message."""
    report_url: str = ""
    """Empty when the reader sent the message."""


def message_menu(message: Message, *, own: bool, now: datetime) -> MessageMenu:
    """Return the menu for the reader; `own` says whether they sent the message."""
    return MessageMenu(
        created_at=message.created_at,
        time=clock_time(message.created).label,
        url=message_url(message),
        edit_url=message_action_url("edit_message", message) if own and may_be_edited(message, now=now) else "",
        delete_url=message_action_url("delete_message", message) if own else "",
        report_url="" if own else message_action_url("report_message", message),
    )


def message_url(message: Message) -> str:
    """Return the address of the message in its conversation."""
    url = cached_url("conversation", message.group_uuid)
    at = quote(message.created_at, safe="")
    return f"{url}?around={at}#m{message.created_at}"


def message_action_url(name: str, message: Message) -> str:
    """Return the address of an action on the message, by the name of its URL pattern."""
    return cached_url(name, message.group_uuid, message.created_at)
