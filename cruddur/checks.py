"""System checks of the settings: an id and a hint for everything that is missing or contradictory.

What is malformed by itself is refused before, when the settings are read: `cruddur/environment.py`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import parse_qs, urlsplit

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register  # noqa: A004 - Django's own name
from django.core.exceptions import ImproperlyConfigured

from cruddur.postgres.roles import owns_restricted_tables
from cruddur.postgres.tls import is_verified

from .net import is_loopback

LOCAL_HINT = "Run `make run` once (it writes .local/env), or set it as .env.example explains."
PRODUCTION_HINT = "Set it in the environment, as .env.example explains."


@register(Tags.security)
def check_settings(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Report all problems of the settings that can be seen without calling anything."""
    return [*_missing(), *_contradictory(), *(_unsafe_in_production() if settings.PRODUCTION else ())]


@register(Tags.database, deploy=True)
def check_roles(
    app_configs: Sequence[AppConfig] | None, databases: Sequence[str] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """Report append-only tables that the application's role could open again. Only for `check --database default`."""
    if not settings.PRODUCTION or not databases or "default" not in databases:
        return []
    owned = owns_restricted_tables()
    if not owned:
        return []
    hint = "Let another role own the tables: MIGRATION_DATABASE_URL, as docs/operations.md says."
    text = f"The role of DATABASE_URL owns tables that it must only add to: {', '.join(owned)}."
    return [Error(text, hint=hint, id="cruddur.E027")]


def _missing() -> Iterator[CheckMessage]:
    required = {
        "E001": ("SECRET_KEY", _secret_key()),
        "E002": ("APP_URL", settings.APP_URL),
        "E003": ("DATABASE_URL", settings.DATABASES["default"].get("NAME")),
        "E004": ("COGNITO_USER_POOL_ID", settings.COGNITO_USER_POOL_ID),
        "E005": ("COGNITO_DOMAIN", settings.COGNITO_DOMAIN),
        "E006": ("OIDC_RP_CLIENT_ID", settings.OIDC_RP_CLIENT_ID),
        "E007": ("OIDC_RP_CLIENT_SECRET", settings.OIDC_RP_CLIENT_SECRET),
        "E008": ("DDB_MESSAGE_TABLE", settings.DDB_MESSAGE_TABLE),
    }
    hint = PRODUCTION_HINT if settings.PRODUCTION else LOCAL_HINT
    for number, (name, value) in required.items():
        if not value:
            yield Error(f"{name} is not set.", hint=hint, id=f"cruddur.{number}")


def _secret_key() -> str:
    try:
        return str(settings.SECRET_KEY)
    except ImproperlyConfigured:  # Django lets nobody read an empty one
        return ""


def _contradictory() -> Iterator[CheckMessage]:
    host = urlsplit(settings.APP_URL).hostname
    if host and host not in settings.ALLOWED_HOSTS and "*" not in settings.ALLOWED_HOSTS:
        hint = f"Add {host}, or leave ALLOWED_HOSTS out: it then follows from APP_URL."
        yield Error("ALLOWED_HOSTS lacks the host of APP_URL.", hint=hint, id="cruddur.E012")
    if settings.DYNAMODB_ENDPOINT_URL is None and not settings.PRODUCTION:
        hint = "Run `make run` once, name an endpoint in AWS_ENDPOINT_URL_DYNAMODB, or set CRUDDUR_ENV=production."
        yield Error("No DynamoDB endpoint is set and this is not production.", hint=hint, id="cruddur.E013")
    pool = settings.COGNITO_USER_POOL_ID
    if pool and not settings.OIDC_OP_ISSUER.endswith(f"/{pool}"):
        hint = "Leave OIDC_OP_ISSUER out: it follows from AWS_REGION and COGNITO_USER_POOL_ID."
        yield Error("OIDC_OP_ISSUER does not end in COGNITO_USER_POOL_ID.", hint=hint, id="cruddur.E014")
    if pool and "_" in pool and settings.COGNITO_ENDPOINT_URL is None and pool.split("_")[0] != settings.AWS_REGION:
        hint = f"The pool is in {pool.split('_')[0]}: set AWS_REGION to it."
        yield Error(f"AWS_REGION is {settings.AWS_REGION}.", hint=hint, id="cruddur.E015")


def _unsafe_in_production() -> Iterator[CheckMessage]:
    if settings.DEBUG:
        hint = "Remove DEBUG: its pages show settings and source to anyone."
        yield Error("DEBUG is on in production.", hint=hint, id="cruddur.E020")
    if settings.APP_URL and not settings.SECURE:
        hint = "Use the https address; Cognito refuses http callbacks anyway."
        yield Error("APP_URL is not https in production.", hint=hint, id="cruddur.E021")
    if "*" in settings.ALLOWED_HOSTS:
        hint = "Name the hosts, or leave ALLOWED_HOSTS out: it then follows from APP_URL."
        yield Error("ALLOWED_HOSTS allows any host in production.", hint=hint, id="cruddur.E022")
    databases = {"DATABASE_URL": settings.DATABASES["default"], "MIGRATION_DATABASE_URL": settings.MIGRATION_DATABASE}
    for name, database in databases.items():
        if database is None or is_verified(database):
            continue
        hint = (
            f"Add ?sslmode=verify-full to {name}. The certificates of Amazon RDS are known; for another server "
            "add &sslrootcert=/path/to/its/ca.pem, or &sslrootcert=system if a public authority signed its certificate."
        )
        yield Error(f"{name} does not verify that the server is the one it names.", hint=hint, id="cruddur.E024")
    if not _is_verified_bus(settings.REDIS_URL):
        hint = "Use rediss:// without ssl_cert_reqs=none: texts of messages go there."
        yield Error("REDIS_URL does not encrypt, or does not verify the server.", hint=hint, id="cruddur.E025")
    endpoints = {
        "AWS_ENDPOINT_URL_DYNAMODB": settings.DYNAMODB_ENDPOINT_URL,
        "AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER": settings.COGNITO_ENDPOINT_URL,
        "COGNITO_DOMAIN": settings.COGNITO_DOMAIN,
        "OIDC_OP_JWKS_ENDPOINT": settings.OIDC_OP_JWKS_ENDPOINT,
    }
    for name, url in endpoints.items():
        if urlsplit(url or "").scheme == "http" and not is_loopback(url):
            hint = f"Use https in {name}: tokens and messages go there."
            yield Error(f"{name} is not https in production.", hint=hint, id="cruddur.E026")
        if is_loopback(url):
            hint = f"Remove {name}, or leave CRUDDUR_ENV out to work on the local stack."
            yield Warning(f"{name} is on this machine in production.", hint=hint, id="cruddur.W023")


def _is_verified_bus(url: str) -> bool:
    if not url or is_loopback(url) or url.startswith("unix:"):
        return True
    parts = urlsplit(url)
    asked = parse_qs(parts.query)
    weakened = asked.get("ssl_cert_reqs", ["required"]) != ["required"] or "ssl_check_hostname" in asked
    return parts.scheme == "rediss" and not weakened
