"""AWS's prices in one dated table; a file can override any of them.

List prices as published for us-east-1, without discounts and reserved capacity; Cognito in the tier Lite, Postgres as
RDS on Graviton in one zone. Check them before relying on them: they serve to compare costs.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from cruddur.problem import Problem

OURS = Path(__file__).parent / "prices.json"


class BadPrices(Problem):
    """The file of prices is not valid."""


@dataclass(frozen=True, slots=True)
class Prices:
    """Prices by name; people are monthly active ones."""

    as_of: str
    region: str
    currency: str
    dynamodb_million_writes: float
    dynamodb_million_reads: float
    dynamodb_write_unit_hour: float
    dynamodb_read_unit_hour: float
    dynamodb_free_units: float
    dynamodb_gb_month: float
    dynamodb_free_gb: float
    dynamodb_backup_gb_month: float
    streams_million_reads: float
    streams_free_million_reads: float
    lambda_million_requests: float
    lambda_gb_second: float
    fargate_vcpu_hour: float
    fargate_gb_hour: float
    balancer_hour: float
    balancer_unit_hour: float
    postgres_vcpu_hour: float
    postgres_gb_month: float
    valkey_node_hour: float
    endpoint_hour: float
    transfer_gb: float
    cognito_active_person: float
    cognito_free_people: float


def prices(override: str | None = None) -> Prices:
    """Return the prices, with those of a JSON file in place of the defaults. Raises BadPrices."""
    ours = Prices(**_numbers(OURS))
    if override is None:
        return ours
    found = _numbers(Path(override))
    known = {each.name for each in fields(Prices)}
    if unknown := sorted(found.keys() - known):
        raise BadPrices(f"{override} has {', '.join(unknown)}: the prices there are are {', '.join(sorted(known))}.")
    if found and "as_of" not in found:
        raise BadPrices(f"{override} does not say as_of when its prices are.")
    return replace(ours, **found)


def _numbers(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise BadPrices(f"{path} cannot be read: {error.strerror}.") from error
    except ValueError as error:
        raise BadPrices(f"{path} is no JSON.") from error
    if not isinstance(found, dict) or not all(_fits(name, value) for name, value in found.items()):
        raise BadPrices(f"{path} is no object of prices: numbers from 0 up, and as_of, region and currency as texts.")
    return found


def _fits(name: str, value: Any) -> bool:
    if name in ("as_of", "region", "currency"):
        return isinstance(value, str)
    return isinstance(value, int | float) and not isinstance(value, bool) and value >= 0
