"""Pattern E: what changed in conversations is copied into their members' entries. One projection for worker and Lambda.

Monotonic: an entry takes a version once and never an older one, so batches may come twice, late or in any order.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from .dynamodb import MessageTable
from .items import CONVERSATION_SK, Conversation, conversation_from


def changed_conversations(records: Iterable[Mapping[str, Any]]) -> list[Conversation]:
    """The newest image of each conversation that these stream records change; other items do not matter."""
    newest: dict[UUID, Conversation] = {}
    for record in records:
        image = record["dynamodb"].get("NewImage")
        if image is None or image["sk"].get("S") != CONVERSATION_SK:
            continue
        conversation = conversation_from(image)
        known = newest.get(conversation.group_uuid)
        if known is None or known.version < conversation.version:
            newest[conversation.group_uuid] = conversation
    return list(newest.values())


def project(table: MessageTable, conversations: Iterable[Conversation]) -> int:
    """Bring the entries of all members up to these conversations; returns how many entries moved.

    One call of 3 write units a member. Raises `Unavailable`; doing it again is safe.
    """
    return sum(
        table.copy_to_entry(conversation, member)
        for conversation in conversations
        for member in sorted(conversation.member_uuids)
    )
