"""Whether a connection to Postgres verifies the server, and the root certificates for RDS.

`sslmode=require` encrypts, but takes any certificate: whoever can put themselves in between reads everything, the
password first. `verify-full` verifies the certificate and that it is this host's.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from psycopg.pq import Conninfo

from cruddur.net import LOOPBACK_HOSTS

RDS_CERTIFICATES = Path(__file__).parent / "certificates" / "rds.pem"
RDS_DOMAIN = ".rds.amazonaws.com"
VERIFIED = "verify-full"
"""`verify-ca` is not enough: RDS signs the databases of all its customers."""


def with_certificates(database: dict[str, Any]) -> dict[str, Any]:
    """Return Django's settings of a database, with the root certificates of RDS where its host is one of RDS.

    An `sslrootcert` that is named stays. Elsewhere it is libpq's own affair: a path, or `system` for the authorities
    that the operating system trusts.
    """
    hosts = str(database.get("HOST", "")).split(",")
    options = database.get("OPTIONS", {})
    if "sslrootcert" in options or not all(host.endswith(RDS_DOMAIN) for host in hosts):
        return database
    return {**database, "OPTIONS": {**options, "sslrootcert": str(RDS_CERTIFICATES)}}


def is_verified(database: Mapping[str, Any]) -> bool:
    """Return whether every host is this machine, or has to prove who it is. Variables of libpq, as PGSSLMODE, count."""
    defaults = {each.keyword.decode(): each.val.decode() for each in Conninfo.get_defaults() if each.val}
    named = {"host": database.get("HOST"), **database.get("OPTIONS", {})}
    parameters = {**defaults, **{name: str(value) for name, value in named.items() if value}}
    hosts = (parameters.get("hostaddr") or parameters.get("host") or "").split(",")
    local = all(not host or host.startswith("/") or host in LOOPBACK_HOSTS for host in hosts)
    return local or parameters.get("sslmode") == VERIFIED
