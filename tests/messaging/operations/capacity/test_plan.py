"""From habits to units, settings, processes and money: sums that can be done by hand."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from datetime import date
from pathlib import Path

import pytest

from messaging.operations.capacity import machines, patterns
from messaging.operations.capacity.habits import Day, Habits, Units, day_of, units_of
from messaging.operations.capacity.machines import processes
from messaging.operations.capacity.plan import Plan, Setting, plan
from messaging.operations.capacity.prices import BadPrices, prices

NOTHING = {"starts": 0.0, "visits": 0.0, "opens": 0.0, "earlier": 0.0, "minutes": 0.0, "seen_live": 0.0}
BARE = Habits(people=1, messages=1.0, **NOTHING)
"""One person who sends one message and does nothing else."""


def planned(habits: Habits, *, months: float = 12, conversations: float = 0, speed: float = 1) -> Plan:
    return plan(habits, prices(), months=months, conversations=conversations, monthly=1, speed=speed)


def total(habits: Habits) -> Units:
    return sum(units_of(day_of(habits), text_bytes=habits.text_bytes).values(), Units())


# --- Units ------------------------------------------------------------------------------------------------------------


def test_a_message_and_the_lists_that_follow_cost_ten_writes_and_a_read() -> None:
    assert total(BARE) == Units(table_writes=6, inbox_writes=4, table_reads=1)


def test_messages_of_a_burst_share_the_change_of_the_lists() -> None:
    assert total(replace(BARE, messages=4.0, together=4.0)).writes == 4 * 4 + 6


def test_a_first_message_costs_its_twelve_and_two_for_lists_that_have_it_already() -> None:
    assert total(replace(BARE, starts=1.0)) == Units(table_writes=10, inbox_writes=2, group_writes=2)


def test_a_message_of_two_kilobytes_costs_two_more_and_windows_of_them_more_reads() -> None:
    long = replace(BARE, text_bytes=1500.0)

    assert total(long).writes == 12
    assert patterns.message_reads(1500) > patterns.message_reads(100) == 2


def test_an_open_conversation_costs_three_reads_a_minute_and_both_lists_when_its_stream_is_renewed() -> None:
    assert total(replace(BARE, messages=0.0, minutes=10.0)) == Units(table_reads=3 * 11, inbox_reads=1)


def test_opening_a_conversation_costs_the_page_and_marking_it_read() -> None:
    page = patterns.THREAD_PAGE.table_reads + patterns.message_reads(BARE.text_bytes)

    found = total(replace(BARE, messages=0.0, opens=1.0))

    assert found == Units(table_writes=1, inbox_writes=1, table_reads=page + 1, inbox_reads=1)


@pytest.mark.parametrize("people", [10, 1_000_000])
def test_everything_grows_with_the_people(people: int) -> None:
    habits = Habits(people=1)

    assert total(replace(habits, people=people)).writes == pytest.approx(people * total(habits).writes)


# --- Settings, storage, shards ----------------------------------------------------------------------------------------


def test_provisioned_capacity_is_70_percent_used_at_peak() -> None:
    setting = Setting("table", average_writes=7.0, peak_writes=35.0, average_reads=0.0, peak_reads=0.1)

    assert (setting.write_units, setting.read_units) == ((10, 50), (1, 1))


def test_the_table_and_each_index_are_told_apart() -> None:
    found = {each.name: each for each in planned(replace(BARE, people=86_400, peak=2.0)).settings}

    assert [found["table"].average_writes, found["inbox-index"].average_writes] == [6.0, 4.0]
    assert found["table"].peak_writes == 12.0
    assert found["message-group-sk-index"].peak_writes == 0.0


def test_storage_is_that_of_the_messages_and_of_conversations_with_two_entries_in_both_indexes() -> None:
    messages = planned(replace(BARE, people=1_000_000)).gigabytes
    entries = planned(replace(BARE, people=1_000_000, messages=0.0), conversations=2).gigabytes

    assert messages == pytest.approx(1e6 * 12 * 30.4 * (181 + 120 + 100) / 1e9)
    assert entries == pytest.approx(1e6 * (711 + 100 + 2 * (470 + 368 + 134 + 300)) / 1e9)


def test_shards_follow_what_is_written_and_what_is_stored() -> None:
    assert planned(BARE).shards == 4
    assert planned(replace(BARE, people=86_400_000, peak=1.0), months=0).shards == 7
    assert planned(replace(BARE, people=1_000_000), months=12).shards == 15


# --- Processes --------------------------------------------------------------------------------------------------------


def day(**numbers: float) -> Day:
    return Day(**{name: numbers.get(name, 0.0) for name in asdict(day_of(BARE))})


def test_a_process_has_its_processor_and_its_thousand_streams() -> None:
    busy = processes(day(opens=86_400 * 100), peak=1.0, speed=1.0)
    watched = processes(day(stream_minutes=1440.0 * 5000), peak=1.0, speed=1.0)

    assert busy.requests == 100
    assert busy.web == pytest.approx(100 * machines.THREAD_MS / 1000 / machines.BUSY, abs=1)
    assert (watched.streams, watched.web) == (5000, 5)


def test_faster_processors_are_fewer() -> None:
    asked = day(opens=86_400 * 100)

    assert processes(asked, peak=1.0, speed=2.0).web_cpus == processes(asked, peak=1.0, speed=1.0).web_cpus / 2


def test_one_worker_brings_a_hundred_changes_a_second_and_beyond_that_the_lambda_function_does() -> None:
    slow, fast = (processes(day(changes=86_400 * number), peak=1.0, speed=1.0) for number in (100.0, 450.0))

    assert (slow.consumer, slow.lambdas) == ("worker", 0)
    assert (fast.consumer, fast.lambdas) == ("lambda", 5)


def test_a_busy_bus_is_valkey_and_one_that_leaves_no_time_for_requests_is_told() -> None:
    assert not processes(day(sends=86_400 * 1000), peak=1.0, speed=1.0).valkey
    assert processes(day(sends=86_400 * 3000), peak=1.0, speed=1.0).valkey
    assert processes(day(sends=86_400 * 20_000), peak=1.0, speed=1.0).web == 0


# --- Money ------------------------------------------------------------------------------------------------------------


def test_units_cost_what_the_prices_say() -> None:
    found = planned(replace(BARE, people=1_000_000)).costs

    assert found["table: writes"] == pytest.approx(10 * 30.4 * 0.625)
    assert found["table: reads"] == pytest.approx(1 * 30.4 * 0.125)


def test_a_table_of_five_units_each_is_free() -> None:
    small = planned(Habits(people=300))

    assert max(each.write_units[1] for each in small.settings) <= 5
    assert small.provisioned == {"for the peak": 0.0, "as auto scaling follows, at best": 0.0}


def test_more_people_cost_more() -> None:
    costs = [planned(Habits(people=people)).cost for people in (100, 10_000, 1_000_000)]

    assert costs == sorted(set(costs))


def test_the_prices_have_a_date_and_a_place() -> None:
    found = prices()

    assert date.fromisoformat(found.as_of) <= date(2026, 11, 21)
    assert (found.region, found.currency) == ("us-east-1", "USD")


def test_a_file_overrides_some_of_the_prices(tmp_path: Path) -> None:
    path = tmp_path / "prices.json"
    path.write_text(json.dumps({"as_of": "2027-01-01", "dynamodb_million_writes": 1.25}))

    found = prices(str(path))

    assert (found.as_of, found.dynamodb_million_writes) == ("2027-01-01", 1.25)
    assert found.dynamodb_million_reads == prices().dynamodb_million_reads


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ('{"as_of": "2027-01-01", "writes": 1}', "has writes: the prices there are are as_of, balancer_hour"),
        ('{"dynamodb_million_writes": 1}', "does not say as_of"),
        ('{"as_of": "2027-01-01", "dynamodb_million_writes": -1}', "is no object of prices"),
        ('{"as_of": "2027-01-01", "dynamodb_million_writes": "1"}', "is no object of prices"),
        ("[1]", "is no object of prices"),
        ("prices", "is no JSON"),
        (None, "cannot be read"),
    ],
)
def test_a_file_that_is_no_table_of_prices_is_told(tmp_path: Path, content: str | None, why: str) -> None:
    path = tmp_path / "prices.json"
    if content is not None:
        path.write_text(content)

    with pytest.raises(BadPrices, match=why):
        prices(str(path))


# --- What docs/scale.md says ------------------------------------------------------------------------------------------

SCALE = (Path(__file__).parents[4] / "docs" / "scale.md").read_text(encoding="utf-8")


def cells(heading: str, first: str) -> list[str]:
    """Return the cells of the row with this first cell in the table below a heading."""
    table = SCALE.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    row = next(line for line in table.splitlines() if line.startswith(f"| {first} |"))
    return [cell.strip() for cell in row.strip("|").split("|")]


@pytest.mark.parametrize(
    ("what", "habits", "calls"),
    [
        ("a message: sent, and both lists follow", BARE, (patterns.SEND, patterns.PROJECT)),
        ("a first message", replace(BARE, starts=1.0), (patterns.START, patterns.PROJECT_AGAIN)),
        ("a page of the list", replace(BARE, messages=0.0, visits=1.0), (patterns.LIST,)),
        ("a window of earlier messages", replace(BARE, messages=0.0, earlier=1.0), (patterns.THREAD,)),
        (
            "an hour with a conversation open",
            replace(BARE, messages=0.0, minutes=60.0),
            (*[patterns.SINCE] * 66, *[patterns.LIST] * 6),
        ),
    ],
)
def test_the_document_says_what_the_patterns_cost(
    what: str, habits: Habits, calls: tuple[patterns.Pattern, ...]
) -> None:
    units = total(habits)
    cost = units.writes * prices().dynamodb_million_writes + units.reads * prices().dynamodb_million_reads

    _, said_calls, writes, reads, said_cost = cells("What a message, a reader and an open page cost", what)

    assert int(said_calls) == sum(len(each.calls) for each in calls)
    assert (int(writes), int(reads)) == (units.writes, units.reads)
    assert float(said_cost.removesuffix(" USD")) == pytest.approx(cost, abs=0.0051)


@pytest.mark.parametrize("people", [100, 1_000, 10_000, 100_000, 1_000_000])
def test_the_document_s_steps_are_what_the_command_says(people: int) -> None:
    found = plan(Habits(people=people), prices(), months=12, conversations=20, monthly=3, speed=1)
    table = sum(cost for part, cost in found.costs.items() if part.startswith("table: "))

    _, _, _, of_table, of_all, _ = cells("From one machine to a million people a day", f"{people:,}")

    assert float(of_table.replace(",", "")) == pytest.approx(table, rel=0.01)
    assert float(of_all.replace(",", "")) == pytest.approx(found.cost, rel=0.01)
