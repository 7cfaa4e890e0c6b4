"""The local stack's configuration: which parts it starts, their ports, and `.local/env`, which all commands read.

The process environment wins over `.env`, and `.env` over `.local/env`, as in cruddur/settings.py.
"""

import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from cruddur.environment import Environment, Misconfigured, read_file
from cruddur.net import is_loopback

from .disk import write_atomically
from .key import LocalKey, key_from
from .problem import Problem

STACK_PORTS = ("PORT", "POSTGRES_PORT", "AWS_PORT")
DEFAULT_PORTS = {"PORT": 8000, "POSTGRES_PORT": 15432, "AWS_PORT": 4566, "DYNAMODB_PORT": 6566}
DEFAULT_REGION = "us-east-1"
DATABASE_VARIABLES = ("DATABASE_URL",)
DYNAMODB_VARIABLES = ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_DYNAMODB")
COGNITO_VARIABLES = ("OIDC_RP_CLIENT_ID", "COGNITO_USER_POOL_ID", "AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER")


@dataclass(frozen=True, kw_only=True)
class Configuration:
    """One stack. For an external part, the field is None or holds the variable that names it."""

    local: Path
    web_port: int
    postgres_port: int
    aws_port: int
    given_ports: Mapping[str, int] = field(default_factory=dict)
    """Ports that variables set; for others the stack starts its search at the default."""
    given_app_url: str = ""
    region: str
    external_database: str | None
    external_dynamodb: str | None
    external_cognito: str | None
    external_urls: tuple[str, ...] = ()
    key: LocalKey = field(default_factory=LocalKey)

    @property
    def app_url(self) -> str:
        """The origin people type: APP_URL, or what follows from the port."""
        return self.given_app_url or f"http://localhost:{self.web_port}"

    @property
    def needed_ports(self) -> list[str]:
        """The variables of the ports of the parts that are ours."""
        needed = {"PORT": True, "POSTGRES_PORT": not self.external_database, "AWS_PORT": self.needs_emulator}
        return [name for name in STACK_PORTS if needed[name]]

    def at(self, ports: Mapping[str, int]) -> "Configuration":
        """Return the same stack at these ports, by variable."""
        return replace(
            self,
            web_port=ports.get("PORT", self.web_port),
            postgres_port=ports.get("POSTGRES_PORT", self.postgres_port),
            aws_port=ports.get("AWS_PORT", self.aws_port),
        )

    @property
    def is_all_ours(self) -> bool:
        return not (self.external_database or self.external_dynamodb or self.external_cognito)

    @property
    def may_be_seeded(self) -> bool:
        """Invented people belong into databases of this machine, beside a pool of invented people."""
        return not self.external_cognito and all(map(is_loopback, self.external_urls))

    @property
    def needs_emulator(self) -> bool:
        return not (self.external_dynamodb and self.external_cognito)

    @property
    def env_file(self) -> Path:
        return self.local / "env"

    @property
    def logs(self) -> Path:
        return self.local / "logs"

    def variables(
        self, *, database_url: str, migration_url: str, aws_url: str, pool: Mapping[str, str]
    ) -> dict[str, str]:
        """Return the content of `.local/env`, without the variables of external parts."""
        values = {"SECRET_KEY": read_env(self.env_file).get("SECRET_KEY") or secrets.token_urlsafe(48)}
        values["APP_URL"] = self.app_url
        if not self.external_database:
            values["DATABASE_URL"] = database_url
            values["MIGRATION_DATABASE_URL"] = migration_url
        if self.needs_emulator:
            values["AWS_REGION"] = self.region
            values.update(self.key.environment())
        if not self.external_dynamodb and not self.external_cognito:
            values["AWS_ENDPOINT_URL"] = aws_url
        elif not self.external_dynamodb:
            values["AWS_ENDPOINT_URL_DYNAMODB"] = aws_url
        elif not self.external_cognito:
            values["AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER"] = aws_url
        if not self.external_cognito:
            values.update(pool)
        return values


def read_configuration(root: Path) -> Configuration:
    """Read the configuration from the environment and `.env`. Raises Problem for invalid or contradictory values."""
    values = read_values(root)
    kind = validated(values).text("CRUDDUR_ENV", "local")
    if kind != "local":
        raise Problem(
            f"CRUDDUR_ENV is {kind!r} and `make run` starts nothing but the local stack: "
            "unset it, or start the web server as docs/local-stack.md tells."
        )
    ports = {name: read_port(values, name) for name in STACK_PORTS}
    if len(set(ports.values())) < len(ports):
        raise Problem(f"{', '.join(ports)} must differ, they are {', '.join(map(str, ports.values()))}.")
    local = local_directory(root)
    return Configuration(
        local=local,
        key=key_from(values, read_env(local / "env")),
        web_port=ports["PORT"],
        postgres_port=ports["POSTGRES_PORT"],
        aws_port=ports["AWS_PORT"],
        given_ports={name: port for name, port in ports.items() if values.get(name)},
        given_app_url=values.get("APP_URL", "").rstrip("/"),
        region=values.get("AWS_REGION") or values.get("AWS_DEFAULT_REGION") or DEFAULT_REGION,
        external_database=first_set(values, DATABASE_VARIABLES),
        external_dynamodb=first_set(values, DYNAMODB_VARIABLES),
        external_cognito=first_set(values, COGNITO_VARIABLES),
        external_urls=tuple(values[name] for name in (*DATABASE_VARIABLES, *DYNAMODB_VARIABLES) if values.get(name)),
    )


def read_values(root: Path) -> dict[str, str]:
    """Return the variables of the process environment, and of `.env` where that has none."""
    values = dict(os.environ)
    try:
        read_file(root / ".env", values)
    except Misconfigured as problem:
        raise Problem(str(problem)) from None
    return values


def validated(values: Mapping[str, str]) -> Environment:
    """Parse all variables that are set. Raises Problem with a sentence for each malformed one."""
    try:
        return Environment(values)
    except Misconfigured as problems:
        raise Problem(str(problems)) from None


def local_directory(root: Path) -> Path:
    """Return the state directory: CRUDDUR_LOCAL_DIR, by default `.local` in the clone."""
    return Path(os.environ.get("CRUDDUR_LOCAL_DIR") or root / ".local").absolute()


def make_local_directory(local: Path) -> None:
    """Make the state directory if it is missing. Raises Problem if it is another user's."""
    # As root, Postgres's account must be able to traverse it; secret files have their own mode.
    local.mkdir(parents=True, exist_ok=True, mode=0o711 if os.geteuid() == 0 else 0o700)
    if local.stat().st_uid != os.geteuid():
        raise Problem(
            f"{local} belongs to another user (uid {local.stat().st_uid}): run this as that user, "
            "or delete the directory to start anew."
        )


def read_port(values: Mapping[str, str], name: str) -> int:
    return validated(values).number(name, DEFAULT_PORTS[name])


def first_set(values: Mapping[str, str], names: tuple[str, ...]) -> str | None:
    """Return the first variable that is set. Rejects empty ones, which would hide ours from the settings."""
    for name in names:
        if values.get(name):
            return name
        if name in values:
            raise Problem(f"{name} is set to nothing: remove it from the environment or `.env`, or give it a value.")
    return None


def read_env(file: Path) -> dict[str, str]:
    """Read the KEY=value lines that `write_env` wrote; empty if the file does not exist."""
    try:
        lines = file.read_text().splitlines()
    except FileNotFoundError:
        return {}
    return {name: value for name, mark, value in (line.partition("=") for line in lines) if mark}


def write_env(file: Path, values: Mapping[str, str]) -> bool:
    """Write the file whole and readable to its owner alone. Returns whether anything in it is new."""
    if read_env(file) == values:
        return False
    write_atomically(file, "".join(f"{name}={value}\n" for name, value in values.items()).encode())
    return True
