"""From habits to what has to be there for them, and what it costs a month. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

from . import machines, patterns
from .habits import SECONDS_A_DAY, Day, Habits, Units, day_of, units_of
from .machines import Processes, processes
from .prices import Prices

TARGET = 0.7
"""How much of what is provisioned may be used: AWS's own default for auto scaling."""
LEAST_UNITS = 1
HOURS, DAYS = 730, 30.4
"""Of a month."""
ITEM_OVERHEAD = 100
"""Bytes that AWS counts for each item beside its own: "Storage" in the DynamoDB developer guide."""
GB = 1e9
POLLS_A_SECOND = 4.0
"""Of the worker for each shard."""
PARTITIONS_AT_FIRST = 4
"""Of a new table on demand, with which it bears 4,000 writes and 12,000 reads a second at once."""
LAMBDA_GB, LAMBDA_SECONDS = 0.25, 0.05
"""Of the consumer's function: its memory, and its time for a batch of five changes."""
CHANGES_A_BATCH = 5.0
PAGE_KB = 20.0
"""Sent for a request on average, compressed; live messages and static files of a first visit are little beside that."""
WEB_GB = 2.0
"""Memory of a web process: itself, 1,000 streams, and what a busy minute takes."""
BALANCER_STREAMS = 3000
"""Open connections, and..."""
BALANCER_GB_HOUR = 1.0
"""...bytes an hour, that one of the balancer's capacity units holds."""
ENDPOINTS = 2


@dataclass(frozen=True, slots=True)
class Setting:
    """Provisioned capacity of the table or an index, a second: least and most for auto scaling."""

    name: str
    average_writes: float
    peak_writes: float
    average_reads: float
    peak_reads: float

    @property
    def write_units(self) -> tuple[int, int]:
        """What holds the average and what holds the peak."""
        return _provisioned(self.average_writes), _provisioned(self.peak_writes)

    @property
    def read_units(self) -> tuple[int, int]:
        return _provisioned(self.average_reads), _provisioned(self.peak_reads)


@dataclass(frozen=True, slots=True)
class Plan:
    """What has to be there, and what it costs."""

    day: Day
    units: dict[str, Units]
    """Of a day, by what they are for."""
    settings: tuple[Setting, ...]
    gigabytes: float
    """Stored after so many months."""
    shards: int
    processes: Processes
    costs: dict[str, float]
    """Of a month, by part, with the table on demand."""
    provisioned: dict[str, float]
    """Of the table's units alone: provisioned for the peak, and following the demand as far as auto scaling does."""

    @property
    def total(self) -> Units:
        return sum(self.units.values(), Units())

    @property
    def cost(self) -> float:
        return sum(self.costs.values())


def plan(habits: Habits, prices: Prices, *, months: float, conversations: float, monthly: float, speed: float) -> Plan:
    """For such habits, `months` of messages, `conversations` a person, and `monthly` times as many people a month."""
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
    """Bytes, with what AWS counts beside each item."""
    messages = (day.sends + day.starts) * DAYS * months
    of_message = patterns.MESSAGE_BYTES + habits.text_bytes + ITEM_OVERHEAD
    entry = patterns.ENTRY_BYTES + patterns.INBOX_ENTRY_BYTES + patterns.GROUP_ENTRY_BYTES + 3 * ITEM_OVERHEAD
    of_conversation = patterns.CONVERSATION_BYTES + ITEM_OVERHEAD + 2 * entry
    # Each conversation is one of two people's.
    return messages * of_message + habits.people * monthly * conversations / 2 * of_conversation


def _shards(peak: Units, gigabytes: float) -> int:
    """Partitions of the table, and so open shards of its stream, on demand."""
    busy = peak.table_writes / machines.PARTITION_WRITES + peak.table_reads / machines.PARTITION_READS
    return max(PARTITIONS_AT_FIRST, ceil(busy), ceil(gigabytes / machines.PARTITION_GB))


def _consumer(needed: Processes, day: Day, shards: int, prices: Prices) -> float:
    if needed.lambdas:
        batches = (day.changes + day.starts) / CHANGES_A_BATCH * DAYS
        seconds = batches * LAMBDA_SECONDS * LAMBDA_GB
        return batches / 1e6 * prices.lambda_million_requests + seconds * prices.lambda_gb_second
    reads = shards * POLLS_A_SECOND * SECONDS_A_DAY * DAYS / 1e6
    # A quarter of a processor: it waits most of the time. Two, of which one is active.
    process = 2 * (prices.fargate_vcpu_hour * 0.25 + prices.fargate_gb_hour * 0.5) * HOURS
    return max(0.0, reads - prices.streams_free_million_reads) * prices.streams_million_reads + process


def _web(needed: Processes, prices: Prices) -> float:
    """One processor for each process; never fewer than two processes, in two zones."""
    return max(2, needed.web) * (prices.fargate_vcpu_hour + WEB_GB * prices.fargate_gb_hour) * HOURS


def _sent_gb(day: Day) -> float:
    """In a day."""
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
