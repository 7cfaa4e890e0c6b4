"""The faults of the histories are what they claim to be; and what they found, each in its shortest form."""

from collections.abc import Iterator
from datetime import timedelta
from uuid import uuid4

import pytest

from messaging.actions import read as read_actions
from messaging.actions.edit_message import edit
from messaging.domain.entities import Message
from messaging.dynamodb.client import Unavailable
from messaging.dynamodb.keys import entry_key
from messaging.dynamodb.table import MessageTable
from messaging.queries import conversations
from tests.messaging.talk import ANDREW, BAYKO, GROUP, NOW, drain, entry_of, send, start

from .faults import Disturbance, Fault, Network, ProcessDied
from .tally import Tally

SOON = NOW + timedelta(minutes=1)


@pytest.fixture
def network(table: MessageTable, monkeypatch: pytest.MonkeyPatch) -> Iterator[Network]:
    monkeypatch.setattr("time.sleep", lambda _: None)
    network = Network(table.client, Tally())
    with network.attached():
        yield network


def stored() -> list[Message]:
    return [*conversations.load_conversation(user_uuid=ANDREW, group_uuid=GROUP).messages]


def always(fault: Fault) -> list[Disturbance]:
    return [Disturbance(0, fault, times=99)]


@pytest.mark.parametrize("fault", [Fault.LOST_ANSWER, Fault.FAILED_ANSWER])
def test_send_whose_response_is_lost_is_stored_once(network: Network, fault: Fault) -> None:
    after, uuid = start().created_at, uuid4()

    with network.disturbed(always(fault)), pytest.raises(Unavailable):
        send(uuid=uuid, after=after, text="once")

    assert [message.message for message in stored()] == ["Hello", "once"]
    assert send(uuid=uuid, after=after, text="once") == stored()[-1]
    assert len(stored()) == 2


@pytest.mark.parametrize("fault", [Fault.THROTTLED, Fault.SERVER_ERROR, Fault.UNREACHABLE, Fault.CONFLICT])
def test_unexecuted_request_stores_nothing(network: Network, fault: Fault) -> None:
    start()

    with network.disturbed(always(fault)), pytest.raises(Unavailable):
        send()
    assert len(stored()) == 1


@pytest.mark.parametrize(("fault", "count"), [(Fault.DIED_BEFORE, 1), (Fault.DIED_AFTER, 2)])
def test_a_process_dies_before_or_after_its_write(network: Network, fault: Fault, count: int) -> None:
    start()

    with network.disturbed([Disturbance(1 if fault is Fault.DIED_BEFORE else 0, fault)]), pytest.raises(ProcessDied):
        send()
    assert len(stored()) == count


def test_a_late_send_is_stored_when_it_arrives(network: Network) -> None:
    start()

    with network.disturbed(always(Fault.LATE)), pytest.raises(Unavailable):
        send(text="late")
    assert len(stored()) == 1

    network.deliver_late()
    assert [message.message for message in stored()] == ["Hello", "late"]


def test_a_late_send_that_was_sent_again_is_not_stored_again(network: Network) -> None:
    after, uuid = start().created_at, uuid4()

    with network.disturbed(always(Fault.LATE)), pytest.raises(Unavailable):
        send(uuid=uuid, after=after)
    send(uuid=uuid, after=after)
    while network.late:
        network.deliver_late()

    assert len(stored()) == 2


@pytest.mark.parametrize("fault", [Fault.FIRST_UNPROCESSED, Fault.LAST_UNPROCESSED])
def test_keys_left_unprocessed_are_asked_for_again_and_never_absent(network: Network, fault: Fault) -> None:
    start()

    with network.disturbed([Disturbance(0, fault, times=4)]):
        assert len(stored()) == 1
    with network.disturbed([Disturbance(0, fault, times=5)]), pytest.raises(Unavailable):
        stored()


def test_somebody_acts_between_two_calls(network: Network) -> None:
    start()
    network.act = lambda text: send(by=BAYKO, text=text)

    with network.disturbed([Disturbance(1, "in between")]):
        send(text="after it")

    assert [message.message for message in stored()] == ["Hello", "in between", "after it"]


def test_an_edit_that_arrives_late_does_not_undo_a_later_one(network: Network) -> None:
    message = start()

    with network.disturbed(always(Fault.LATE)), pytest.raises(Unavailable):
        edit(user_uuid=ANDREW, group_uuid=GROUP, created_at=message.created_at, text="First thought", now=SOON)
    edit(user_uuid=ANDREW, group_uuid=GROUP, created_at=message.created_at, text="Second thought", now=SOON)
    while network.late:
        network.deliver_late()

    assert [message.message for message in stored()] == ["Second thought"]


def test_entry_created_again_by_two_consumers_keeps_read_position(network: Network, table: MessageTable) -> None:
    message = start()
    table.client.delete_item(TableName=table.name, Key=entry_key(BAYKO, GROUP))

    def others(_: object) -> None:
        drain(table)
        read_actions.mark_read(user_uuid=BAYKO, group_uuid=GROUP, created_at=message.created_at)

    network.act = others
    with network.disturbed([Disturbance(3, "before its put")]):
        drain(table)

    assert entry_of(table, BAYKO).unread == 0
