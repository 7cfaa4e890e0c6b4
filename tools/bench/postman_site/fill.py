"""Fill django-postman's table, in a separate process because its settings differ.

Reads JSON from standard input: the inbox's owner, the partners, the length of the first conversation, the writers.
Writes JSON: the address of that conversation's page, and for each writer the message to reply to.
"""

from __future__ import annotations

import json
import sys
from datetime import timedelta
from typing import Any

import django

django.setup()

from django.core.management import call_command  # noqa: E402 - once Django is set up
from django.utils import timezone  # noqa: E402
from postman.models import STATUS_ACCEPTED, Message  # noqa: E402

SUBJECT, TEXT = "About that", "x" * 181
SHORT = 2
"""Messages in each conversation except the first."""


def main() -> None:
    asked = json.load(sys.stdin)
    call_command("migrate", verbosity=0)
    reader, others = asked["reader"], asked["others"]
    threads = [thread(reader, other, asked["messages"] if not n else SHORT, n) for n, other in enumerate(others)]
    replies = [thread(writer, peer, asked["messages"], n)[-1] for n, (writer, peer) in enumerate(asked["writers"])]
    json.dump(
        {
            "thread": f"/messages/view/t/{threads[0][0].pk}/",
            "replies": [f"/messages/reply/{message.pk}/" for message in replies],
        },
        sys.stdout,
    )


def thread(one: str, other: str, length: int, number: int) -> list[Any]:
    """Return a conversation, all read, in which the other person writes first and last."""
    now = timezone.now() - timedelta(minutes=number)
    root = None
    messages: list[Any] = []
    for each in range(length):
        sender, recipient = (one, other) if each % 2 and each < length - 1 else (other, one)
        message = Message(
            subject=SUBJECT, body=TEXT, sender_id=sender, recipient_id=recipient, moderation_status=STATUS_ACCEPTED,
            sent_at=now - timedelta(seconds=length - each), read_at=now, thread=root, parent=root,
        )  # fmt: skip
        if root is None:
            message.save()
            root = message
            Message.objects.filter(pk=root.pk).update(thread=root)
        messages.append(message)
    Message.objects.bulk_create(messages[1:])
    return messages


if __name__ == "__main__":
    main()
