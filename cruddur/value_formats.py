"""The formats that the values of environment variables may have: how each is parsed, and the words for it.

Knows no Django and nothing of which variables there are: `cruddur/variables.py` puts them together.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

T = TypeVar("T")

RATE = r"([1-9]\d{0,5})/([1-9]\d{0,5})?(s|min|h|d)"
"""Groups: how many at once, and the time over which as many come back: its number (1) and its unit."""
SHORTEST_KEY = 50
FEWEST_CHARACTERS = 5
"""Different ones in a key: Django's own measure, as is the shortest key."""
LONGEST_HOST = 253
TRUE = frozenset(("true", "yes", "on", "1", "y", "t", "ok"))
FALSE = frozenset(("false", "no", "off", "0", "n", "f"))
HOST_LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)", re.ASCII | re.IGNORECASE)
AWS_DOMAINS = ("amazonaws.com", "amazonaws.com.cn", "api.aws")
SSL_MODES = frozenset(("disable", "allow", "prefer", "require", "verify-ca", "verify-full"))
DJANGO_OPTIONS = frozenset(
    ("CONN_MAX_AGE", "ATOMIC_REQUESTS", "AUTOCOMMIT", "DISABLE_SERVER_SIDE_CURSORS", "CONN_HEALTH_CHECKS")
)
"""What django-environ takes from the query of a database's URL for Django itself, whatever the case."""


class Malformed(ValueError):
    """The value is malformed. The argument, if any, says what is wrong and never quotes the value."""


@dataclass(frozen=True, slots=True)
class Format(Generic[T]):
    """A format: `words` complete "it must be …"; `parse` returns the value or raises Malformed."""

    words: str
    parse: Callable[[str], T]


def matching(pattern: str, words: str) -> Format[str]:
    """Accept text that matches this regular expression as a whole (ASCII)."""
    compiled = re.compile(pattern, re.ASCII)

    def parse(text: str) -> str:
        if compiled.fullmatch(text) is None:
            raise Malformed
        return text

    return Format(words, parse)


def number(least: int, most: int, what: str) -> Format[int]:
    """Accept a whole number from `least` to `most`; `what` says of what, as in "a number of days"."""

    def parse(text: str) -> int:
        if re.fullmatch(r"\d{1,15}", text, re.ASCII) is None or not least <= int(text) <= most:
            raise Malformed
        return int(text)

    return Format(f"{what} from {least} to {most}", parse)


def one_of(*choices: str) -> Format[str]:
    """Accept one of these words, whatever the case."""
    by_folded = {choice.casefold(): choice for choice in choices}

    def parse(text: str) -> str:
        if text.casefold() not in by_folded:
            raise Malformed
        return by_folded[text.casefold()]

    return Format(f"one of {', '.join(choices)}", parse)


def many(one: Format[T]) -> Format[list[T]]:
    """Accept values of a format with commas between them; spaces around them do not count."""

    def parse(text: str) -> list[T]:
        return [one.parse(each.strip()) for each in text.split(",") if each.strip()]

    return Format(f"a list with commas, each {one.words}", parse)


def _boolean(text: str) -> bool:
    if text.casefold() in TRUE:
        return True
    if text.casefold() in FALSE:
        return False
    raise Malformed


def _secret_key(text: str) -> str:
    if len(text) < SHORTEST_KEY:
        raise Malformed(f"it has {len(text)} characters")
    if len(set(text)) < FEWEST_CHARACTERS:
        raise Malformed("its characters repeat")
    if not text.isprintable():
        raise Malformed("some of its characters cannot be seen")
    return text


def _directory(text: str) -> Path:
    path = Path(text)
    if text.startswith("~"):
        raise Malformed("~ is put in its place by a shell alone")
    try:
        nearest = next(each for each in (path.absolute(), *path.absolute().parents) if each.exists())
    except OSError as error:
        raise Malformed from error
    if not nearest.is_dir():
        raise Malformed(f"{nearest} is a file")
    return path


def _host(text: str) -> str:
    if text != "*" and not is_host(text.removeprefix(".")):
        raise Malformed
    return text


def is_host(text: str) -> bool:
    """Return whether this is a host's name or address: no scheme, port or path."""
    try:
        ipaddress.ip_address(text.removeprefix("[").removesuffix("]"))
    except ValueError:
        return 0 < len(text) <= LONGEST_HOST and all(map(HOST_LABEL.fullmatch, text.split(".")))
    return True


def _split(text: str, schemes: tuple[str, ...]) -> SplitResult:
    """Return the parts of a URL with one of these schemes and a port, if any, that is one. Raises Malformed."""
    if not text.isprintable() or " " in text:
        raise Malformed("it has spaces or characters that cannot be seen")
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError as error:
        raise Malformed("its host or port is none; / and : in a password are written %2F and %3A") from error
    if parts.scheme not in schemes or not text[len(parts.scheme) :].startswith("://"):
        raise Malformed(f"it does not begin with {' or '.join(f'{scheme}://' for scheme in schemes)}")
    if port == 0:
        raise Malformed("there is no port 0")
    if parts.fragment or text.endswith("#"):
        raise Malformed("# in it is written %23")
    return parts


def _web_url(text: str) -> str:
    parts = _split(text, ("http", "https"))
    if not is_host(parts.hostname or ""):
        raise Malformed("it names no host")
    if parts.username is not None or parts.query:
        raise Malformed("it holds more than scheme, host, port and path")
    return text.rstrip("/")


def _origin(text: str) -> str:
    url = _web_url(text)
    if urlsplit(url).path:
        raise Malformed("it has a path")
    return url


def _emulator(text: str) -> str:
    url = _origin(text)
    if aws_labels(url):
        raise Malformed("an endpoint of AWS is that of one service: set the variable of that service")
    return url


def endpoint(service: str, *, but_not: str | None = None) -> Format[str]:
    """Accept an endpoint of a service: an emulator's, or on AWS one with the word `service` in its host's name."""

    def parse(text: str) -> str:
        url = _origin(text)
        labels = aws_labels(url)
        if labels and (not any(service in label for label in labels) or but_not in labels):
            raise Malformed("it is the endpoint of another service")
        return url

    return Format(
        f"an endpoint: scheme, host and perhaps port, as in http://127.0.0.1:4566; on AWS that of {service}", parse
    )


def aws_labels(url: str) -> list[str]:
    """Return the parts of the name of a host of AWS's; none for another host."""
    host = (urlsplit(url).hostname or "").casefold()
    return host.split(".") if host.endswith(tuple(f".{domain}" for domain in AWS_DOMAINS)) else []


def _postgres_url(text: str) -> str:
    user, mark, servers = urlsplit(text).netloc.rpartition("@") if text.startswith("postgres") else ("", "", "")
    first, *others = servers.split(",")
    # A list of servers is Postgres's own; django-environ splits it, and each of them has to be a host as one alone has.
    parts = _split(text.replace(f"{user}{mark}{servers}", f"{user}{mark}{first}", 1), ("postgres", "postgresql"))
    for server in (first, *others):
        host = unquote(_split(f"postgres://{server}", ("postgres",)).hostname or "")
        if host and not host.startswith("/") and not is_host(host):
            raise Malformed("its host is none; @ in a password is written %40")
    # With a second slash it names the directory of a socket, and after that the database.
    if not parts.path.rpartition("/")[2]:
        raise Malformed("it names no database")
    if not parts.path.startswith("//") and "/" in parts.path[1:]:
        raise Malformed("the name of its database has a /; one in a password is written %2F")
    for option, value in parse_qsl(parts.query, keep_blank_values=True):
        if option.upper() not in DJANGO_OPTIONS and option not in _libpq_options():
            raise Malformed(f"Postgres knows no option {option[:40]!r}")
        if option == "sslmode" and value not in SSL_MODES:
            raise Malformed(f"sslmode is one of {', '.join(sorted(SSL_MODES))}")
    return text


def _libpq_options() -> frozenset[str]:
    from psycopg.pq import Conninfo  # noqa: PLC0415 - for the few URLs that have options; the function has no psycopg

    return frozenset(each.keyword.decode() for each in Conninfo.get_defaults())


def _redis_url(text: str) -> str:
    if text.startswith("unix://"):
        return text
    parts = _split(text, ("redis", "rediss"))
    if not is_host(parts.hostname or ""):
        raise Malformed("it names no host")
    if not re.fullmatch(r"/?|/\d{1,5}", parts.path, re.ASCII):
        raise Malformed("behind the host comes the number of a database, or nothing")
    return text


BOOLEAN = Format("true or false", _boolean)
SECRET_KEY = Format(f"at least {SHORTEST_KEY} random characters", _secret_key)
DIRECTORY = Format("a directory, there already or to be made", _directory)
HOST = Format("a host as in messages.example.com, without scheme, port or path", _host)
ORIGIN = Format("an origin: scheme, host and perhaps port, as in https://messages.example.com", _origin)
WEB_URL = Format("an address that begins with http:// or https://", _web_url)
EMULATOR = Format("an emulator's address: scheme, host and perhaps port, as in http://127.0.0.1:4566", _emulator)
REGION = matching(r"[a-z]{2,3}(-[a-z]{2,12}){1,3}-\d{1,2}", "a region of AWS, as in us-east-1")
POSTGRES_URL = Format("a Postgres URL, as in postgres://user:password@host:5432/database", _postgres_url)
REDIS_URL = Format(
    "a URL of Redis or Valkey, as in redis://127.0.0.1:6379/0 or rediss://user:password@host:6379/0", _redis_url
)
