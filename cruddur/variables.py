"""Every environment variable of the project: its name, the format of its value, and whether it is secret.

To add one: a line in `VARIABLES`, a line in `.env.example`, the reading in `cruddur/settings.py` (or wherever it is
needed), and three wrong values in `tests/cruddur/test_environment.py`, which fails until they are there.
`cruddur/environment.py` validates the values. Knows no Django: the local stack and the Lambda function use it, too.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from . import value_formats as formats
from .value_formats import Format

KIBIBYTE = 1024


@dataclass(frozen=True, slots=True)
class Variable:
    """An environment variable. The value of a secret one is never shown."""

    name: str
    format: Format[Any]
    secret: bool = False


_RATE = formats.matching(
    formats.RATE,
    "a number and a time, as in 30/30s or 10/h: the time is s, min, h or d, perhaps with a number before it",
)
_PORT = formats.number(1, 65_535, "a port")
_DAYS = formats.number(1, 3650, "a number of days")

VARIABLES: Mapping[str, Variable] = {
    each.name: each
    for each in (
        # Which stack
        Variable("CRUDDUR_ENV", formats.one_of("local", "test", "production")),
        Variable("CRUDDUR_LOCAL_DIR", formats.DIRECTORY),
        Variable("PORT", _PORT),
        Variable("POSTGRES_PORT", _PORT),
        Variable("AWS_PORT", _PORT),
        Variable("DYNAMODB_PORT", _PORT),
        Variable("CRUDDUR_VERSION", formats.matching(r"[\w.+:/@-]{1,100}", "a commit or a version, as in 1.4.2")),
        # Django
        Variable("SECRET_KEY", formats.SECRET_KEY, secret=True),
        Variable("SECRET_KEY_FALLBACKS", formats.many(formats.SECRET_KEY), secret=True),
        Variable("DEBUG", formats.BOOLEAN),
        Variable("APP_URL", formats.ORIGIN),
        Variable("ALLOWED_HOSTS", formats.many(formats.HOST)),
        Variable("SESSION_IDLE_DAYS", _DAYS),
        Variable("SESSION_DAYS", _DAYS),
        Variable("BODY_MAX_BYTES", formats.number(16 * KIBIBYTE, 1024 * KIBIBYTE * KIBIBYTE, "a number of bytes")),
        Variable("BEHIND_PROXY", formats.BOOLEAN),
        Variable("LOG_LEVEL", formats.one_of("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")),
        Variable("LOG_JSON", formats.BOOLEAN),
        Variable("DATABASE_URL", formats.POSTGRES_URL),
        Variable("MIGRATION_DATABASE_URL", formats.POSTGRES_URL),
        Variable("MIGRATION_PGPASSWORD", formats.matching(r"\S{1,256}", "a password, without spaces"), secret=True),
        Variable("DATABASE_POOL", formats.number(0, 10_000, "a number of connections")),
        Variable("REQUESTS_AT_ONCE", formats.number(1, 10_000, "a number of requests")),
        # Live updates
        Variable("REDIS_URL", formats.REDIS_URL),
        Variable("LIVE_STREAMS_A_PERSON", formats.number(1, 1_000_000, "a number of streams")),
        # How often
        Variable("RATE_MESSAGES", _RATE),
        Variable("RATE_MESSAGES_TO_ONE", _RATE),
        Variable("RATE_NEW_CONVERSATIONS", _RATE),
        Variable("RATE_NEW_CONVERSATIONS_NEW_ACCOUNT", _RATE),
        Variable("NEW_ACCOUNT_DAYS", formats.number(0, 3650, "a number of days")),
        Variable("RATE_REPORTS", _RATE),
        Variable("RATE_SEARCHES", _RATE),
        Variable("RATE_STREAMS", _RATE),
        Variable("RATE_EXPORTS", _RATE),
        Variable("RATE_SIGN_INS", _RATE),
        Variable("RATE_PAGES", _RATE),
        Variable("RATE_SENDS", _RATE),
        Variable("RATE_UPDATES", _RATE),
        Variable("RATE_TYPING", _RATE),
        Variable("RATE_READ_MARKS", _RATE),
        Variable("RATE_CHANGES", _RATE),
        Variable("RATE_BLOCKS", _RATE),
        Variable("RATE_HANDLES", _RATE),
        Variable("RATE_ADMIN", _RATE),
        # Messages
        Variable("MESSAGE_REQUESTS", formats.BOOLEAN),
        Variable("SEND_QUEUE_SECONDS", formats.number(0, 10, "a number of seconds")),
        # DynamoDB
        Variable("DDB_MESSAGE_TABLE", formats.matching(
            r"[A-Za-z0-9_.-]{3,255}", "a table's name: 3 to 255 letters, digits, and the characters . _ -"
        )),
        Variable("AWS_REGION", formats.REGION),
        Variable("AWS_DEFAULT_REGION", formats.REGION),
        Variable("AWS_ENDPOINT_URL", formats.EMULATOR),
        Variable("AWS_ENDPOINT_URL_DYNAMODB", formats.endpoint("dynamodb", but_not="streams")),
        Variable("AWS_ENDPOINT_URL_DYNAMODB_STREAMS", formats.endpoint("streams")),
        Variable("AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER", formats.endpoint("cognito-idp")),
        Variable("LOCAL_AWS_ACCESS_KEY_ID", formats.matching(
            r"[A-Z][A-Za-z0-9]{3,127}", "the id of a key of the local stack: letters and digits, the first a capital"
        )),
        Variable("LOCAL_AWS_SECRET_ACCESS_KEY", formats.matching(
            r"[A-Za-z0-9/+=]{8,128}", "the secret of a key of the local stack: 8 or more letters, digits, / + ="
        ), secret=True),
        # Cognito
        Variable("COGNITO_USER_POOL_ID", formats.matching(
            r"[\w-]{1,40}_[0-9A-Za-z]{1,40}", "a user pool's id, as in us-east-1_AbCdEf123"
        )),
        Variable("COGNITO_DOMAIN", formats.ORIGIN),
        Variable("OIDC_RP_CLIENT_ID", formats.matching(r"[\w+-]{1,128}", "an app client's id: letters and digits")),
        Variable("OIDC_RP_CLIENT_SECRET", formats.matching(
            r"[\w+/=.-]{1,128}", "an app client's secret, without spaces or quotes"
        ), secret=True),
        Variable("OIDC_OP_ISSUER", formats.WEB_URL),
        Variable("OIDC_OP_JWKS_ENDPOINT", formats.WEB_URL),
        # Watching
        Variable("OTEL_EXPORTER_OTLP_ENDPOINT", formats.WEB_URL),
        Variable("DEBUG_PANEL", formats.BOOLEAN),
    )
}  # fmt: skip
"""By name, in the order of `.env.example`."""
