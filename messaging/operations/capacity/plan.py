"""Compute the required resources and their monthly costs from people's habits. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

from . import machines, patterns
from .habits import SECONDS_A_DAY, Day, Habits, Units, day_of, units_of
from .machines import Processes, processes
from .prices import Prices

TARGET = 0.7
"""Target utilisation of provisioned capacity: AWS's own default for auto scaling."""
LEAST_UNITS = 1
HOURS, DAYS = 730, 30.4
"""Of a month."""
ITEM_OVERHEAD = 100
"""Bytes that AWS adds to the size of each item: "Storage" in the DynamoDB developer guide."""
GB = 1e9
POLLS_A_SECOND = 4.0
"""Polls of the worker for each shard."""
PARTITIONS_AT_FIRST = 4
"""Partitions of a new on-demand table, enough for 4,000 writes and 12,000 reads a second at once."""
LAMBDA_GB, LAMBDA_SECONDS = 0.25, 0.05
"""Memory of the consumer's function, and its duration for a batch of five changes."""
CHANGES_A_BATCH = 5.0
PAGE_KB = 20.0
"""Average compressed response; live messages and static files of a first visit add little."""
WEB_GB = 2.0
"""Memory of a web process: its own, 1,000 streams, and a busy minute."""
BALANCER_STREAMS = 3000
"""Open connections, and..."""
BALANCER_GB_HOUR = 1.0
"""...gigabytes an hour, for each capacity unit of the load balancer."""
ENDPOINTS = 2


@dataclass(frozen=True, slots=True)
class Setting:
    """Provisioned capacity of the table or an index per second: minimum and maximum for auto scaling."""

    name: str
    average_writes: float
    peak_writes: float
    average_reads: float
    peak_reads: float

    @property
    def write_units(self) -> tuple[int, int]:
        """The minimum for the average and the maximum for the peak."""
        return _provisioned(self.average_writes), _provisioned(self.peak_writes)

    @property
    def read_units(self) -> tuple[int, int]:
        return _provisioned(self.average_reads), _provisioned(self.peak_reads)


@dataclass(frozen=True, slots=True)
class Plan:
    """The required resources and their costs."""

    day: Day
    units: dict[str, Units]
    """Units a day, by purpose."""
    settings: tuple[Setting, ...]
    gigabytes: float
    """Stored after so many months."""
    shards: int
    processes: Processes
    costs: dict[str, float]
    """Monthly costs by part, with the table on demand."""
    provisioned: dict[str, float]
    """Monthly costs of the table's units alone: provisioned for the peak, and with auto scaling."""

    @property
    def total(self) -> Units:
        return sum(self.units.values(), Units())

    @property
    def cost(self) -> float:
        return sum(self.costs.values())


def plan(habits: Habits, prices: Prices, *, months: float, conversations: float, monthly: float, speed: float) -> Plan:
    """Plan for these habits, `months` of messages, `conversations` per person and `monthly` people per daily one."""
    day = day_of(habits)
    units = units_of(day, text_bytes=habits.text_bytes)
    total = sum(units.values(), Units())
    second = total.times(1 / SECONDS_A_DAY)
    settings = _settings(second, second.times(habits.peak))
    gigabytes = _stored(habits, day, months=months, conversations=conversations, monthly=monthly) / GB
    needed = processes(day, peak=habits.peak, speed=speed)
    shards = _shards(second.times(habits.peak), gigabytes)
    costs = {
        "table: writes": total.writes * DAYS / 1e6 * prices.dynamodb_million_writes,
        "table: reads": total.reads * DAYS / 1e6 * prices.dynamodb_million_reads,
        "table: storage": max(0.0, gigabytes - prices.dynamodb_free_gb) * prices.dynamodb_gb_month,
        "table: point-in-time recovery": gigabytes * prices.dynamodb_backup_gb_month,
        "stream and its consumer": _consumer(needed, day, shards, prices),
        "web": _web(needed, prices),
        "load balancer": _balancer(needed, day, prices),
        "Postgres": max(1.0, ceil(2 * needed.postgres_cpus) / 2) * prices.postgres_vcpu_hour * HOURS
        + 20 * prices.postgres_gb_month,
        "Valkey": 2 * prices.valkey_node_hour * HOURS if needed.valkey else 0.0,
        "endpoints": ENDPOINTS * prices.endpoint_hour * HOURS,
        "transfer": _sent_gb(day) * DAYS * prices.transfer_gb,
        "Cognito": max(0.0, habits.people * monthly - prices.cognito_free_people) * prices.cognito_active_person,
    }
    return Plan(day, units, settings, gigabytes, shards, needed, costs, _provisioned_costs(settings, prices))


def _settings(average: Units, peak: Units) -> tuple[Setting, ...]:
    return (
        Setting("table", average.table_writes, peak.table_writes, average.table_reads, peak.table_reads),
        Setting("inbox-index", average.inbox_writes, peak.inbox_writes, average.inbox_reads, peak.inbox_reads),
        Setting("message-group-sk-index", average.group_writes, peak.group_writes, 0.0, 0.0),
    )


def _provisioned(a_second: float) -> int:
    return max(LEAST_UNITS, ceil(a_second / TARGET))


def _stored(habits: Habits, day: Day, *, months: float, conversations: float, monthly: float) -> float:
    """Return the bytes stored, with AWS's overhead for each item."""
    messages = (day.sends + day.starts) * DAYS * months
    of_message = patterns.MESSAGE_BYTES + habits.text_bytes + ITEM_OVERHEAD
    entry = patterns.ENTRY_BYTES + patterns.INBOX_ENTRY_BYTES + patterns.GROUP_ENTRY_BYTES + 3 * ITEM_OVERHEAD
    of_conversation = patterns.CONVERSATION_BYTES + ITEM_OVERHEAD + 2 * entry
    # Each conversation belongs to two people.
    return messages * of_message + habits.people * monthly * conversations / 2 * of_conversation


def _shards(peak: Units, gigabytes: float) -> int:
    """Return the partitions of the table on demand, and so the open shards of its stream."""
    busy = peak.table_writes / machines.PARTITION_WRITES + peak.table_reads / machines.PARTITION_READS
    return max(PARTITIONS_AT_FIRST, ceil(busy), ceil(gigabytes / machines.PARTITION_GB))


def _consumer(needed: Processes, day: Day, shards: int, prices: Prices) -> float:
    if needed.lambdas:
        batches = (day.changes + day.starts) / CHANGES_A_BATCH * DAYS
        seconds = batches * LAMBDA_SECONDS * LAMBDA_GB
        return batches / 1e6 * prices.lambda_million_requests + seconds * prices.lambda_gb_second
    reads = shards * POLLS_A_SECOND * SECONDS_A_DAY * DAYS / 1e6
    # A quarter of a processor: it mostly waits. Two processes, of which one is active.
    process = 2 * (prices.fargate_vcpu_hour * 0.25 + prices.fargate_gb_hour * 0.5) * HOURS
    return max(0.0, reads - prices.streams_free_million_reads) * prices.streams_million_reads + process


def _web(needed: Processes, prices: Prices) -> float:
    """Return the cost of the processes, with one processor each; at least two, in two zones."""
    return max(2, needed.web) * (prices.fargate_vcpu_hour + WEB_GB * prices.fargate_gb_hour) * HOURS


def _sent_gb(day: Day) -> float:
    """Return the gigabytes sent per day."""
    return machines.requests_of(day) * PAGE_KB * 1000 / GB


def _balancer(needed: Processes, day: Day, prices: Prices) -> float:
    units = max(needed.streams / BALANCER_STREAMS, _sent_gb(day) / 24 / BALANCER_GB_HOUR)
    return (prices.balancer_hour + units * prices.balancer_unit_hour) * HOURS


def _provisioned_costs(settings: tuple[Setting, ...], prices: Prices) -> dict[str, float]:
    def cost(writes: float, reads: float) -> float:
        paid_writes = max(0.0, writes - prices.dynamodb_free_units)
        paid_reads = max(0.0, reads - prices.dynamodb_free_units)
        return (paid_writes * prices.dynamodb_write_unit_hour + paid_reads * prices.dynamodb_read_unit_hour) * HOURS

    least, most = (
        cost(sum(each.write_units[which] for each in settings), sum(each.read_units[which] for each in settings))
        for which in (0, 1)
    )
    return {"for the peak": most, "as auto scaling follows, at best": least}
