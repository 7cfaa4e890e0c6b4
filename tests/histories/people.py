"""What people do: they write, send again and read, in tabs that know only what they were shown."""

from __future__ import annotations

from dataclasses import dataclass, replace

from messaging.actions import read as read_actions
from messaging.actions import send_message
from messaging.actions.send_message import AwaitingAnswer, Blocked, Delivery, MessageUuidReused, Opening
from messaging.domain.entities import pair_group_uuid
from messaging.queries.conversations import ConversationNotFound, MessageNotFound

from .looks import showing
from .model import Story
from .tally import Broken, BrokenPromise
from .world import TEXTS, Form, NobodyKnows, Tab, World


@dataclass(frozen=True, slots=True)
class Start:
    """Write on the page that starts a conversation, to somebody who wants to be asked first or not."""

    tab: int
    other: int
    text: int
    server: int = 0
    asks: bool = False

    def act(self, world: World) -> None:
        tab = world.tab(self.tab)
        other = world.other_than(tab.person, self.other)
        group_uuid = pair_group_uuid(tab.person, other)
        opening = Opening.REQUEST if self.asks else Opening.FREE
        submit(world, tab, Form(tab.person, group_uuid, other, world.mint(), "", self.text, opening), self.server)


@dataclass(frozen=True, slots=True)
class Send:
    """Write on the page of a conversation, as it is in the tab."""

    tab: int
    text: int
    server: int = 0

    def act(self, world: World) -> None:
        tab = world.tab(self.tab)
        if tab.group_uuid is None:
            Start(self.tab, self.tab, self.text, self.server, asks=self.tab % 2 == 1).act(world)
        else:
            form = Form(tab.person, tab.group_uuid, None, world.mint(), tab.after, self.text)
            submit(world, tab, form, self.server)


@dataclass(frozen=True, slots=True)
class Burst:
    """Write several messages in a row."""

    tab: int
    count: int

    def act(self, world: World) -> None:
        for number in range(self.count):
            Send(self.tab, number).act(world)


@dataclass(frozen=True, slots=True)
class SendAgain:
    """Send a form that was sent before, perhaps long ago, perhaps with another text; the newest form is 0."""

    form: int
    server: int = 0
    text: int | None = None

    def act(self, world: World) -> None:
        if world.forms:
            form = world.forms[-1 - self.form % len(world.forms)]
            changed = form if self.text is None else replace(form, text=self.text)
            submit(world, Tab(form.by), changed, self.server)


@dataclass(frozen=True, slots=True)
class SendWithUuidOf:
    """Write with a uuid that another person, or oneself in another conversation, has used."""

    tab: int
    form: int
    text: int
    anew: bool
    """Whether on the page that starts a conversation, which knows no message."""

    def act(self, world: World) -> None:
        tab = world.tab(self.tab)
        if tab.group_uuid and world.forms:
            story = world.stories[tab.group_uuid]
            taken = world.forms[-1 - self.form % len(world.forms)].message_uuid
            if (tab.person, taken) not in story.sendings:
                (other,) = story.members - {tab.person}
                form = Form(tab.person, tab.group_uuid, None, taken, tab.after, self.text)
                submit(world, tab, replace(form, starts_with=other, after="") if self.anew else form, 0)


@dataclass(frozen=True, slots=True)
class MarkRead:
    """Read up to a message that the tab shows, counted from its newest."""

    tab: int
    back: int = 0

    def act(self, world: World) -> None:
        tab = showing(world, self.tab)
        if not tab.window or not tab.group_uuid:
            return
        message = tab.window[-1 - self.back % len(tab.window)]
        reading = world.stories[tab.group_uuid].readings[tab.person]
        losses = reading.losses
        reading.tried.add(message.seq)
        try:
            with world.request():
                read_actions.mark_read(user_uuid=tab.person, group_uuid=tab.group_uuid, created_at=message.created_at)
        except NobodyKnows:
            world.noted("read: unknown")
        except ConversationNotFound:
            if not reading.may_lack_entry:
                raise BrokenPromise(Broken.LOST, f"{tab.person} has no entry to mark {message} as read") from None
            world.noted("read: no entry")
        except MessageNotFound:
            raise BrokenPromise(Broken.LOST, f"{message} is gone") from None
        else:
            world.noted("read: done")
            if losses == reading.losses:
                reading.acknowledged = max(reading.acknowledged, message.seq)


def submit(world: World, tab: Tab, form: Form, server: int) -> None:
    """Send a form and hold the answer against what is known."""
    typed, text = TEXTS[form.text]
    members = (form.by, form.starts_with) if form.starts_with else world.stories[form.group_uuid].members
    story = world.story(*members)
    is_request = form.opening is Opening.REQUEST
    sending = story.submitted(form.by, form.message_uuid, form.after, is_request=is_request)
    may_wait = story.may_wait(form.by)
    if form not in world.forms:
        world.forms.append(form)
    blocks, was_known = story.blocks, story.newest > 0
    had = text in sending.texts
    sending.texts.add(text)
    try:
        with world.request() as plan:
            delivery = _send(form, typed, world, server)
    except NobodyKnows:
        sending.unknown = True
        world.noted("send: unknown")
        return
    except MessageUuidReused:
        story.reused(sending, text, loosely=plan.meanwhile > 0)
        world.noted("send: uuid reused with another text")
        return
    except (Blocked, AwaitingAnswer) as refusal:
        _hold_refusal(world, story, form, refusal, blocks=blocks, may_wait=may_wait or plan.meanwhile > 0)
    except ConversationNotFound:
        if was_known or form.starts_with:
            raise BrokenPromise(Broken.LOST, f"{form.by} does not find {story.members}") from None
        world.noted("send: no conversation")
    else:
        _acknowledge(world, story, tab, form, delivery, blocked=not had and story.blocked_all_the_time(blocks))
        return
    if not had:
        sending.texts.discard(text)


def _hold_refusal(
    world: World, story: Story, form: Form, refusal: Blocked | AwaitingAnswer, *, blocks: int, may_wait: bool
) -> None:
    if isinstance(refusal, Blocked) and not story.blocked_since(blocks):
        raise BrokenPromise(Broken.OTHER, f"nobody blocks {story.members}") from None
    if isinstance(refusal, AwaitingAnswer) and not may_wait:
        raise BrokenPromise(Broken.OTHER, f"{form.by} need not wait for {story.members}") from None
    world.noted("send: blocked" if isinstance(refusal, Blocked) else "send: waits")


def _send(form: Form, text: str, world: World, server: int) -> Delivery:
    now = world.now(server)
    if form.starts_with:
        return send_message.start(
            user_uuid=form.by,
            other_uuid=form.starts_with,
            text=text,
            message_uuid=form.message_uuid,
            now=now,
            opening=form.opening,
        )
    return send_message.send(
        user_uuid=form.by,
        group_uuid=form.group_uuid,
        text=text,
        message_uuid=form.message_uuid,
        after=form.after,
        now=now,
    )


def _acknowledge(world: World, story: Story, tab: Tab, form: Form, delivery: Delivery, *, blocked: bool) -> None:
    message = delivery.message
    if delivery.member_uuids != story.members or message.group_uuid != story.group_uuid:
        raise BrokenPromise(Broken.OTHER, f"{form} was stored in another conversation: {delivery}")
    sending = story.sendings[form.by, form.message_uuid]
    if blocked and sending.seq is None:
        raise BrokenPromise(Broken.OTHER, f"{form} was stored while somebody blocked")
    known = story.acknowledged(sending, TEXTS[form.text][1], message, loosely=world.network.plan.meanwhile > 0)
    world.noted("send: repeat" if known else "send: stored")
    tab.group_uuid, tab.window, tab.after = story.group_uuid, [message], message.created_at
