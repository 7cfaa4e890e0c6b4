"""What can be done with a message, as the templates show it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote

from cruddur.web.cached_urls import cached_url
from messaging.actions.edit_message import may_be_edited
from messaging.dynamodb.items import Message

from .composer import Composer, edit_composer
from .dates import clock_time


@dataclass(frozen=True, slots=True)
class Menu:
    """The actions of one message."""

    created_at: str
    time: str
    url: str
    """The message in its conversation."""
    edit_url: str = ""
    """Empty when it is too late, or the message is somebody else's."""
    delete_url: str = ""
    """Empty when the message is somebody else's."""
    report_url: str = ""
    """Empty when the message is the reader's own."""


@dataclass(frozen=True, slots=True)
class Deletion:
    """The question whether a message is to be deleted."""

    text: str
    action: str
    close_url: str


def message_url(message: Message) -> str:
    """The message in its conversation."""
    url = cached_url("conversation", message.group_uuid)
    at = quote(message.created_at, safe="")
    return f"{url}?around={at}#m{message.created_at}"


def menu(message: Message, *, own: bool, now: datetime) -> Menu:
    """What the reader can do with the message; `own` says whether they wrote it."""
    return Menu(
        created_at=message.created_at,
        time=clock_time(message.created).label,
        url=message_url(message),
        edit_url=_url("edit_message", message) if own and may_be_edited(message, now=now) else "",
        delete_url=_url("delete_message", message) if own else "",
        report_url="" if own else _url("report_message", message),
    )


def deletion(message: Message) -> Deletion:
    return Deletion(text=message.message, action=_url("delete_message", message), close_url=message_url(message))


def editing(message: Message, *, to: str) -> Composer:
    """The form with the message in it."""
    time = clock_time(message.created).label
    return edit_composer(
        _url("edit_message", message), to=to, text=message.message, time=time, cancel_url=message_url(message)
    )


def _url(name: str, message: Message) -> str:
    return cached_url(name, message.group_uuid, message.created_at)
