from __future__ import annotations

from argparse import ArgumentTypeError
from collections.abc import Callable
from dataclasses import asdict, fields, replace
from math import isfinite
from typing import Any

from django.core.management.base import CommandParser

from cruddur.cli.base_command import StackCommand
from cruddur.cli.terminal import Column
from messaging.operations.capacity.habits import SECONDS_A_DAY, Habits
from messaging.operations.capacity.plan import Plan, plan
from messaging.operations.capacity.prices import Prices, prices

PEOPLE = 1000
MOST_PEOPLE = 1_000_000_000
THOUSAND = 1000
UNITS = (
    Column("for", "1,000 units a day", whole=True),
    *(
        Column(name, right=True)
        for name in ("table_writes", "inbox_writes", "group_writes", "table_reads", "inbox_reads")
    ),
)
SETTINGS = (
    Column("name", "units a second", whole=True),
    Column("average", right=True),
    Column("peak", right=True),
    Column("provision", right=True),
)


def from_to(lowest: float, highest: float = float("inf")) -> Callable[[str], float]:
    """Return an argparse type for numbers in this range."""

    def read(text: str) -> float:
        try:
            number = float(text)
        except ValueError:
            number = -1.0
        if not (lowest <= number <= highest and isfinite(number)):
            msg = f"{text} is no number from {lowest:g}" + (f" to {highest:,.10g}" if highest < float("inf") else " up")
            raise ArgumentTypeError(msg)
        return number

    return read


def shown(number: float) -> str:
    """Format a number for people, with more digits if it is small."""
    return f"{number:,.0f}" if number >= 10 or not number else f"{number:,.2f}"  # noqa: PLR2004


class Command(StackCommand):
    help = (
        "Calculate units, processes and money for a number of people. Also shows what to provision for the table and "
        "each index, storage, shards, and the cost of a month, from the measurements of docs/scale.md and a dated "
        "table of prices. Asks nothing of AWS."
    )
    examples = (
        "",
        "--people 1000000",
        "--people 20000 --messages 40 --peak 8 --minutes 90",
        "--people 50000 --prices ours.json --json",
    )
    when_stopped = "Stopped."

    def describe(self) -> str:
        return "A calculation: nothing is asked of AWS, of the table or of the database."

    def add_arguments(self, parser: CommandParser) -> None:
        habits = {each.name: each.default for each in fields(Habits)}

        def habit(name: str, what: str, *, lowest: float = 0, highest: float = float("inf")) -> None:
            parser.add_argument(
                f"--{name.replace('_', '-')}",
                type=from_to(lowest, highest),
                default=habits[name],
                metavar="N",
                help=f"{what} ({habits[name]:g})",
            )

        parser.add_argument(
            "--people",
            type=from_to(1, MOST_PEOPLE),
            default=PEOPLE,
            metavar="N",
            help=f"daily active people ({PEOPLE:,})",
        )
        habit("messages", "messages that each sends a day")
        habit("peak", "busiest minutes relative to the average", lowest=1)
        habit("starts", "share of messages that begin a conversation, 0 to 1", highest=1)
        habit("visits", "loads of the list by each a day")
        habit("opens", "conversations that each opens a day")
        habit("earlier", "windows of earlier messages that each reads a day")
        habit("minutes", "minutes a day that each has a conversation open", highest=1440)
        habit("seen_live", "share of messages that arrive in an open conversation, 0 to 1", highest=1)
        habit("together", "messages of a conversation per update of the lists", lowest=1)
        habit("text_bytes", "bytes of a text", lowest=1, highest=4096)
        parser.add_argument(
            "--months", type=from_to(0), default=12.0, metavar="N", help="months of messages stored (12)"
        )
        parser.add_argument(
            "--conversations", type=from_to(0), default=20.0, metavar="N", help="conversations of each person (20)"
        )
        parser.add_argument(
            "--monthly", type=from_to(1), default=3.0, metavar="N", help="monthly active people per daily one (3)"
        )
        parser.add_argument(
            "--speed",
            type=from_to(0.01),
            default=1.0,
            metavar="N",
            help="speed of the processors relative to those measured (1)",
        )
        parser.add_argument("--prices", metavar="FILE", help="JSON with other prices and their as_of")

    def act(self, **options: Any) -> None:
        habits = Habits(
            **{
                each.name: int(options[each.name]) if each.name == "people" else options[each.name]
                for each in fields(Habits)
            }
        )
        asked = prices(options["prices"])
        extent = {name: options[name] for name in ("months", "conversations", "monthly", "speed")}
        found = plan(habits, asked, **extent)
        if self.as_json:
            self.done("", **facts(habits, extent, found, asked))
        else:
            self.show(found, asked, extent)

    def show(self, found: Plan, asked: Prices, extent: dict[str, float]) -> None:
        units = {**found.units, "together": found.total}
        rows = [{"for": name, **asdict(each.times(1 / THOUSAND))} for name, each in units.items()]
        self.write_rows(_numbers(UNITS), rows)
        self.write_rows(_numbers(SETTINGS), settings(found))
        needed = found.processes
        consumer = (
            f"the Lambda function, {needed.lambdas:,} at once at least" if needed.lambdas else "a worker, and a second"
        )
        web = f"{needed.web:,} for the web" if needed.web else "more for the web than one bus can serve, so split it"
        bus = "Valkey" if needed.valkey else "Postgres"
        for sentence in (
            f"At the peak: {shown(needed.requests)} requests and {shown(needed.events)} events a second, "
            f"{needed.streams:,} open streams.",
            f"Processes: {web}, on {shown(needed.web_cpus)} processors; for the lists {consumer}; Postgres on "
            f"{shown(needed.postgres_cpus)} processors; {bus} as the bus.",
            f"Stored after {extent['months']:g} months: {shown(found.gigabytes)} GB; {found.shards:,} partitions, and "
            "as many open shards of the stream.",
        ):
            self.say(sentence)
        costs = [{"part": name, "a_month": cost} for name, cost in found.costs.items()]
        self.write_rows(
            [Column("part"), Column("a_month", f"{asked.currency} a month", show=shown, right=True)],
            [*costs, {"part": "together", "a_month": found.cost}],
        )
        on_demand = found.costs["table: writes"] + found.costs["table: reads"]
        instead = ", ".join(f"{shown(cost)} {how}" for how, cost in found.provisioned.items())
        self.done(
            f"Provisioned, the units cost {instead}, in the place of {shown(on_demand)} on demand. Two processes "
            f"of the web are paid for at least. Prices of {asked.region} as of {asked.as_of}: look them up."
        )


def _numbers(columns: tuple[Column, ...]) -> list[Column]:
    """Return the columns with their numbers formatted by `shown`."""
    first, *rest = columns
    return [first, *(replace(each, show=_shown) for each in rest)]


def _shown(value: Any) -> str:
    return shown(value) if isinstance(value, int | float) else str(value)


def settings(found: Plan) -> list[dict[str, Any]]:
    """Return the use per second of the table and each index, and the minimum and maximum to provision."""
    return [
        {"name": f"{each.name}, {what}", "average": average, "peak": peak, "provision": "{:,} to {:,}".format(*units)}
        for each in found.settings
        for what, average, peak, units in (
            ("writes", each.average_writes, each.peak_writes, each.write_units),
            ("reads", each.average_reads, each.peak_reads, each.read_units),
        )
    ]


def facts(habits: Habits, extent: dict[str, float], found: Plan, asked: Prices) -> dict[str, Any]:
    """Return the whole plan, for programs."""
    return {
        "habits": asdict(habits) | extent,
        "units_a_day": {name: asdict(units) for name, units in found.units.items()},
        "units_a_second": {
            "average": asdict(found.total.times(1 / SECONDS_A_DAY)),
            "peak": asdict(found.total.times(habits.peak / SECONDS_A_DAY)),
        },
        "provision": {
            each.name: {"write_units": each.write_units, "read_units": each.read_units} for each in found.settings
        },
        "gigabytes": found.gigabytes,
        "shards": found.shards,
        "processes": asdict(found.processes),
        "costs_a_month": found.costs | {"together": found.cost},
        "provisioned_a_month": found.provisioned,
        "prices": asdict(asked),
    }
