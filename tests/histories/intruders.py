"""People who try what only members may."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from messaging.actions import read as read_actions
from messaging.actions import send_message
from messaging.queries import conversations
from messaging.queries.conversations import ConversationNotFound

from .amending import refuse
from .looks import showing
from .model import Story
from .tally import Broken, BrokenPromise
from .world import OUTSIDER, NobodyKnows, World


@dataclass(frozen=True, slots=True)
class Intrude:
    """Somebody tries what only members may, in a conversation of others."""

    way: int
    tab: int
    outsider: int

    def act(self, world: World) -> None:
        tab = showing(world, self.tab)
        if tab.group_uuid is None:
            return
        story = world.stories[tab.group_uuid]
        others = [each for each in (*world.people, OUTSIDER) if each not in story.members]
        outsider = others[self.outsider % len(others)]
        newest = story.stored[story.newest].now.created_at
        ways: list[Callable[[], object]] = [
            lambda: conversations.load_conversation(user_uuid=outsider, group_uuid=story.group_uuid),
            lambda: conversations.load_conversation(user_uuid=outsider, group_uuid=story.group_uuid, after=newest),
            lambda: send_message.send(
                user_uuid=outsider,
                group_uuid=story.group_uuid,
                text="Let me in",
                message_uuid=world.mint(),
                after="",
                now=world.now(self.way),
            ),
            lambda: _mark_read(outsider, story, newest),
        ]
        if self.way % (len(ways) + 2) >= len(ways):
            text = None if self.way % 2 else 0
            refuse(world, outsider, story.group_uuid, newest, text, ConversationNotFound)
            return
        try:
            with world.request():
                ways[self.way % (len(ways) + 2)]()
        except (ConversationNotFound, NobodyKnows):
            world.noted("intruder: turned away")
        else:
            raise BrokenPromise(Broken.LEAKED, f"{outsider} got into {story.members} in way {self.way}")


def _mark_read(outsider: UUID, story: Story, created_at: str) -> None:
    try:
        read_actions.mark_read(user_uuid=outsider, group_uuid=story.group_uuid, created_at=created_at)
    except conversations.MessageNotFound:
        raise ConversationNotFound from None
