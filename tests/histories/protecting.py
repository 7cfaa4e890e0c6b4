"""How people protect themselves: they block, accept requests and decline them. Each is done at once and wholly."""

from __future__ import annotations

from dataclasses import dataclass

from messaging.actions import block, message_requests
from messaging.actions.send_message import Blocked
from messaging.queries.conversations import ConversationNotFound

from .looks import showing
from .model import Story
from .tally import Broken, BrokenPromise
from .world import World


@dataclass(frozen=True, slots=True)
class Block:
    """Somebody blocks another, whether they ever wrote to each other or not; or no longer does."""

    tab: int
    other: int | None = None
    """None: whoever the tab shows."""

    def act(self, world: World) -> None:
        tab = showing(world, self.tab) if self.other is None else world.tab(self.tab)
        if self.other is None and tab.group_uuid is None:
            return
        (other,) = (
            world.stories[tab.group_uuid].members - {tab.person}
            if self.other is None and tab.group_uuid
            else {world.other_than(tab.person, self.other or 0)}
        )
        story = world.story(tab.person, other)
        with world.network.disturbed(()):
            if tab.person in story.blockers:
                block.reopen(user_uuid=tab.person, other_uuid=other)
            else:
                block.shut(user_uuid=tab.person, other_uuid=other, now=world.time)
            messages = [*world.table.messages_after(story.group_uuid, "", limit=1000)]
            for message in messages:
                story.see(message)
            story.toggle_block(tab.person, messages)
        world.noted("block: set" if tab.person in story.blockers else "block: taken away")


@dataclass(frozen=True, slots=True)
class Accept:
    """Somebody accepts a request, or without any what the tab shows."""

    tab: int

    def act(self, world: World) -> None:
        person = world.tab(self.tab).person
        story = _asking(world, self.tab)
        if story is None:
            return
        with world.network.disturbed(()):
            try:
                message_requests.accept(user_uuid=person, group_uuid=story.group_uuid)
            except Blocked:
                if person not in story.blockers:
                    raise BrokenPromise(Broken.OTHER, f"{person} does not block {story.members}") from None
            except ConversationNotFound:
                if story.newest:
                    raise BrokenPromise(Broken.LOST, f"{person} does not find {story.members}") from None
            else:
                story.see_all([*world.table.messages_after(story.group_uuid, "", limit=1000)], loosely=False)
                story.accepted |= person == story.asked
                world.noted("request: accepted" if story.accepted else "request: not to be accepted")


@dataclass(frozen=True, slots=True)
class Decline:
    """Somebody declines a request, or without any what the tab shows."""

    tab: int

    def act(self, world: World) -> None:
        person = world.tab(self.tab).person
        story = _asking(world, self.tab)
        if story is None:
            return
        with world.network.disturbed(()):
            message_requests.decline(user_uuid=person, group_uuid=story.group_uuid)
            story.see_all([*world.table.messages_after(story.group_uuid, "", limit=1000)], loosely=False)
        if story.awaiting == person:
            story.declined = True
            world.noted("request: declined")


def _asking(world: World, number: int) -> Story | None:
    """Return a conversation that awaits acceptance by the person of this tab, else the one it shows, if any."""
    person = world.tab(number).person
    asking = [story for story in world.stories.values() if story.awaiting == person]
    if asking:
        return asking[number % len(asking)]
    group_uuid = showing(world, number).group_uuid
    return world.stories[group_uuid] if group_uuid else None
