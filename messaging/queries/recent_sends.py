"""A sender's own last sends, kept in the session and laid over the list, which may lag behind them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from django.contrib.sessions.backends.base import SessionBase

from messaging.domain.entities import Entry, Message
from messaging.domain.text import preview
from messaging.domain.timestamps import parse_created_at
from messaging.dynamodb.keys import user_pk

SESSION_KEY = "last_sends"
KEPT = 10
# Longer than the index and the stream worker are ever behind without somebody being called.
KEPT_FOR = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class LastSend:
    """The newest message a person has sent into a conversation."""

    group_uuid: UUID
    member_uuids: frozenset[UUID]
    created_at: str
    seq: int
    message: str
    """Preview."""


def remember(session: SessionBase, message: Message, *, member_uuids: Iterable[UUID]) -> None:
    """Note the message as its conversation's last send; writes the session."""
    sent = LastSend(
        message.group_uuid, frozenset(member_uuids), message.created_at, message.seq, preview(message.message)
    )
    others = [stored for stored in session.get(SESSION_KEY, ()) if stored["group_uuid"] != str(sent.group_uuid)]
    fields = asdict(sent) | {
        "group_uuid": str(sent.group_uuid),
        "member_uuids": sorted(str(uuid) for uuid in sent.member_uuids),
    }
    session[SESSION_KEY] = [fields, *others][:KEPT]


def amend(session: SessionBase, message: Message) -> None:
    """Let a last send that was edited or deleted show so, too."""
    kept = session.get(SESSION_KEY, ())
    for stored in kept:
        if (stored["group_uuid"], stored["created_at"]) == (str(message.group_uuid), message.created_at):
            stored["message"] = preview(message.message)
            session[SESSION_KEY] = kept


def recall(session: SessionBase, *, now: datetime) -> list[LastSend]:
    """The sends that may still be missing from the list; only reads the session."""
    sends = [
        LastSend(
            group_uuid=UUID(stored["group_uuid"]),
            member_uuids=frozenset(UUID(uuid) for uuid in stored["member_uuids"]),
            created_at=stored["created_at"],
            seq=stored["seq"],
            message=stored["message"],
        )
        for stored in session.get(SESSION_KEY, ())
    ]
    return [send for send in sends if now - parse_created_at(send.created_at) < KEPT_FOR]


def overlay(
    entries: Sequence[Entry],
    sends: Iterable[LastSend],
    *,
    user_uuid: UUID,
    before: str | None,
    more: bool,
) -> list[Entry]:
    """The page of entries as it is once the index has caught up with the sends, newest first.

    `before` is the last_message_at where the page begins (None on the first), `more` whether pages follow. A send newer
    than its entry gives it message, time and place, and nothing unread; a conversation that the page should have and
    has not is added; one that has moved to an earlier page is left out.
    """
    found = {entry.group_uuid: entry for entry in entries}
    end = entries[-1].last_message_at if entries and more else ""
    for send in sends:
        entry = found.get(send.group_uuid)
        if entry is not None and entry.last_message_at >= send.created_at:
            continue
        if before is not None and send.created_at >= before:
            found.pop(send.group_uuid, None)
        elif entry is not None:
            found[send.group_uuid] = moved(entry, send)
        elif send.created_at >= end:
            found[send.group_uuid] = moved(_entry(send, user_uuid), send)
    return sorted(found.values(), key=lambda entry: entry.last_message_at, reverse=True)


def missing(entries: Sequence[Entry], sends: Iterable[LastSend], *, before: str | None, more: bool) -> list[UUID]:
    """The conversations that `overlay` would add to this page: whether they belong into the list it cannot tell."""
    found = {entry.group_uuid for entry in entries}
    end = entries[-1].last_message_at if entries and more else ""
    return [
        send.group_uuid
        for send in sends
        if send.group_uuid not in found and send.created_at >= end and (before is None or send.created_at < before)
    ]


def moved(entry: Entry, send: LastSend) -> Entry:
    """The entry once the send is its last message."""
    return replace(
        entry,
        last_message_at=send.created_at,
        message=send.message,
        last_user_uuid=entry.user_uuid,
        last_seq=max(entry.last_seq, send.seq),
        sent_seq=max(entry.sent_seq, send.seq),
    )


def _entry(send: LastSend, user_uuid: UUID) -> Entry:
    """The entry of a conversation that the list does not know yet."""
    return Entry(
        user_uuid=user_uuid,
        group_uuid=send.group_uuid,
        member_uuids=send.member_uuids,
        last_message_at=send.created_at,
        message=send.message,
        last_user_uuid=user_uuid,
        last_seq=send.seq,
        sent_seq=send.seq,
        version=0,
        inbox=user_pk(user_uuid),
    )
