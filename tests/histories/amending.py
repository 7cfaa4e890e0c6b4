"""What people do with messages that are there: they edit and delete their own, and try it with those of others."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from messaging.actions.edit_message import EDIT_TIME, MessageIsDeleted, NotTheWriter, TooLateToEdit, delete, edit
from messaging.actions.send_message import Blocked, Delivery
from messaging.domain.entities import Message
from messaging.queries.conversations import ConversationNotFound, MessageNotFound

from .looks import showing
from .model import Amendment, Story
from .tally import Broken, BrokenPromise
from .world import TEXTS, NobodyKnows, World


@dataclass(frozen=True, slots=True)
class Edit:
    """Edit a message that the tab shows, counted from its newest; one's own or not."""

    tab: int
    back: int
    text: int
    server: int = 0

    def act(self, world: World) -> None:
        amend(world, self.tab, self.back, self.text, world.now(self.server))


@dataclass(frozen=True, slots=True)
class Delete:
    """Delete a message that the tab shows, counted from its newest; one's own or not."""

    tab: int
    back: int
    server: int = 0

    def act(self, world: World) -> None:
        amend(world, self.tab, self.back, None, world.now(self.server))


def amend(world: World, number: int, back: int, text: int | None, now: datetime) -> None:
    """Edit a message of a tab's window to a text, or delete it (None), and hold the answer against what is known."""
    tab = showing(world, number)
    if not tab.window:
        return
    message = tab.window[-1 - back % len(tab.window)]
    if message.user_uuid != tab.person:
        refuse(world, tab.person, message.group_uuid, message.created_at, text, NotTheWriter)
        return
    story = world.stories[message.group_uuid]
    begun, blocks = story.amendment(message.seq, None if text is None else TEXTS[text][1], now), story.blocks
    what = "delete" if text is None else "edit"
    try:
        with world.request() as plan:
            delivery = request(tab.person, message.group_uuid, message.created_at, text, now)
    except NobodyKnows:
        story.left_open(begun)
        world.noted(f"{what}: unknown")
    except (ConversationNotFound, MessageNotFound) as error:
        raise BrokenPromise(Broken.LOST, f"{message} is gone for its writer") from error
    except (TooLateToEdit, MessageIsDeleted, Blocked) as refusal:
        if not _is_right(refusal, story, begun, message, now=now, blocks=blocks):
            raise BrokenPromise(Broken.OTHER, f"{begun} was refused for no reason") from refusal
        story.refused(begun)
        world.noted(f"{what}: {type(refusal).__name__}")
    else:
        # The same edit of the same moment may be stored already, its outcome unknown until now.
        written = delivery.message == begun.wanted and begun.wanted not in (begun.now, *begun.before)
        may_not = now - message.created > EDIT_TIME or story.blocked_all_the_time(blocks)
        if written and text is not None and may_not:
            raise BrokenPromise(Broken.OTHER, f"{begun} was not refused")
        story.amended(begun, delivery.message, loosely=plan.meanwhile > 0)
        world.noted(f"{what}: {'done' if written else 'nothing to do'}")


def _is_right(
    refusal: Exception, story: Story, begun: Amendment, message: Message, *, now: datetime, blocks: int
) -> bool:
    stored = story.stored[message.seq]
    match refusal:
        case TooLateToEdit():
            return now - message.created > EDIT_TIME
        case Blocked():
            return story.blocked_since(blocks)
        case _:
            # It is deleted now: of what may have come true, only deletions have.
            stored.maybe = [each for each in stored.maybe if each.deleted_at]
            return bool(stored.now.deleted_at or stored.maybe)


def request(person: UUID, group_uuid: UUID, created_at: str, text: int | None, now: datetime) -> Delivery:
    if text is None:
        return delete(user_uuid=person, group_uuid=group_uuid, created_at=created_at, now=now)
    return edit(user_uuid=person, group_uuid=group_uuid, created_at=created_at, text=TEXTS[text][0], now=now)


def refuse(
    world: World, person: UUID, group_uuid: UUID, created_at: str, text: int | None, why: type[Exception]
) -> None:
    """Try to edit or delete a message as someone who may not."""
    try:
        with world.request():
            request(person, group_uuid, created_at, text, world.time)
    except NobodyKnows:
        world.noted("refused to others: unknown")
    except why:
        world.noted("refused to others: done")
    except (ConversationNotFound, MessageNotFound) as error:
        raise BrokenPromise(Broken.LOST, f"for {person} there is no message {created_at}") from error
    else:
        raise BrokenPromise(Broken.LEAKED, f"{person} changed somebody else's message in {group_uuid}")
