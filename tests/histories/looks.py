"""What people look at: windows of a conversation, and lists. What is shown is held against what is known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from messaging.domain.entities import Entry, Message
from messaging.queries import conversations
from messaging.queries.conversations import ConversationNotFound, ConversationPage

from .model import Story
from .tally import Broken, BrokenPromise
from .world import NobodyKnows, Tab, World


@dataclass(frozen=True, slots=True)
class Open:
    """Open a conversation at its newest messages, in this tab."""

    tab: int
    other: int

    def act(self, world: World) -> None:
        tab = world.tab(self.tab)
        story = world.story(tab.person, world.other_than(tab.person, self.other))
        thread = look(world, tab.person, story)
        if thread:
            newest = thread.messages[-1].seq if thread.messages else 0
            if newest < thread.conversation.seq:
                raise BrokenPromise(Broken.LOST, f"{thread.conversation} has more messages than are shown")
            hold(story, thread.messages, first=max(1, newest - conversations.PAGE_SIZE + 1))
            if thread.newer:
                raise BrokenPromise(Broken.LOST, f"the newest page of {story.members} has newer ones: {thread}")
            tab.group_uuid, tab.window, tab.after = story.group_uuid, [*thread.messages], thread.newest_known


@dataclass(frozen=True, slots=True)
class Older:
    """Load the messages before those the tab shows."""

    tab: int

    def act(self, world: World) -> None:
        tab = showing(world, self.tab)
        if tab.group_uuid and tab.window and tab.window[0].seq > 1:
            story, oldest = world.stories[tab.group_uuid], tab.window[0]
            thread = look(world, tab.person, story, before=oldest.created_at)
            if thread:
                hold(story, thread.messages, first=max(1, oldest.seq - conversations.PAGE_SIZE), last=oldest.seq - 1)
                tab.window = [*thread.messages, *tab.window]


@dataclass(frozen=True, slots=True)
class Newer:
    """Load the messages after those the tab shows, as a page does that was left open."""

    tab: int

    def act(self, world: World) -> None:
        tab = showing(world, self.tab)
        if tab.group_uuid and tab.window:
            story, newest = world.stories[tab.group_uuid], tab.window[-1]
            known = story.newest
            thread = look(world, tab.person, story, after=newest.created_at)
            if thread:
                last = min(newest.seq + conversations.PAGE_SIZE, max(known, newest.seq + len(thread.messages)))
                hold(story, thread.messages, first=newest.seq + 1, last=last)
                tab.window += thread.messages
                tab.after = thread.newest_known


@dataclass(frozen=True, slots=True)
class Around:
    """Jump to a message that the tab shows, counted from its newest."""

    tab: int
    back: int

    def act(self, world: World) -> None:
        tab = showing(world, self.tab)
        if tab.group_uuid and tab.window:
            story, centre = world.stories[tab.group_uuid], tab.window[-1 - self.back % len(tab.window)]
            known = story.newest
            thread = look(world, tab.person, story, around=centre.created_at)
            if thread:
                first = max(1, centre.seq - conversations.PAGE_SIZE // 2)
                last = min(first + conversations.PAGE_SIZE - 1, max(known, first + len(thread.messages) - 1))
                hold(story, thread.messages, first=first, last=last)
                tab.window, tab.after = [*thread.messages], thread.newest_known


@dataclass(frozen=True, slots=True)
class ReadList:
    """Look through one's whole list of conversations, page by page."""

    person: int

    def act(self, world: World) -> None:
        person = world.people[self.person % len(world.people)]
        wanted = {
            story.group_uuid: story.readings[person].acknowledged
            for story in world.stories.values()
            if person in story.members and story.newest and not story.readings[person].may_lack_entry
            # Not what the person blocks, nor what may be a request.
            if person not in story.blockers and story.awaiting != person
        }
        blocked = {story.group_uuid for story in world.stories.values() if person in story.blockers}
        try:
            with world.request() as plan:
                entries = whole_list(person)
        except NobodyKnows:
            return
        loosely = plan.meanwhile > 0
        if not loosely and blocked & {entry.group_uuid for entry in entries}:
            raise BrokenPromise(Broken.LISTS, f"{person} blocks one of {entries}")
        for entry in entries:
            story = world.stories.get(entry.group_uuid)
            if story is None or person not in story.members:
                raise BrokenPromise(Broken.LEAKED, f"{person} is shown {entry}")
            story.see_entry(entry, at_least=wanted.get(entry.group_uuid, 0), loosely=loosely)
        if not loosely and not wanted.keys() <= {entry.group_uuid for entry in entries}:
            raise BrokenPromise(Broken.LOST, f"{person} misses a conversation in {entries}")


def showing(world: World, number: int) -> Tab:
    """Return a tab; open a conversation in it if it shows none and one exists."""
    tab = world.tab(number)
    if tab.group_uuid is None:
        Open(number, number).act(world)
    return tab


def look(world: World, person: UUID, story: Story, **where: str) -> ConversationPage | None:
    """Return a window of the conversation as a member sees it, or None without an answer."""
    known, read = story.newest, story.readings[person].acknowledged
    try:
        with world.request() as plan:
            thread = conversations.load_conversation(user_uuid=person, group_uuid=story.group_uuid, **where)
    except NobodyKnows:
        return None
    except ConversationNotFound:
        if known:
            raise BrokenPromise(Broken.LOST, f"{person} does not find {story.members}") from None
        return None
    loosely = plan.meanwhile > 0
    story.see_all(thread.messages, loosely=loosely)
    if thread.conversation.seq < known or thread.conversation.member_uuids != story.members:
        raise BrokenPromise(Broken.LOST, f"{known} messages are known, {thread.conversation} is shown")
    if thread.entry.read_seq < read and not story.readings[person].may_lack_entry:
        raise BrokenPromise(Broken.UNREAD, f"read up to {read}, the entry is {thread.entry}")
    return thread


def hold(story: Story, shown: Sequence[Message], *, first: int, last: int | None = None) -> None:
    """Check that a window holds the messages from `first` to `last` (by default the newest)."""
    last = story.newest if last is None else last
    numbers = [message.seq for message in shown]
    if numbers != list(range(first, last + 1)):
        raise BrokenPromise(Broken.LOST, f"of the messages {first} to {last} of {story.members} it shows {numbers}")


def whole_list(person: UUID) -> list[Entry]:
    """Return all pages of a person's list of conversations."""
    page = conversations.list_conversations(user_uuid=person)
    entries = [*page.entries]
    while page.older:
        page = conversations.list_conversations(user_uuid=person, before=page.older)
        entries += page.entries
    return entries
