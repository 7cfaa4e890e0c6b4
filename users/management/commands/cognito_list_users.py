from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import IO, Any, cast

from django.core.management.base import CommandError, CommandParser

from cruddur.cli import target
from cruddur.cli.base_command import StackCommand
from cruddur.cli.target import describe_cognito_stack
from cruddur.cli.terminal import Column, is_plain
from users.cognito.client import UserPool
from users.cognito.linking import CONFIRMED, Match, matches
from users.cognito.pool import groups_by_sub, user_pool


def as_date(moment: datetime | None) -> str:
    return moment.date().isoformat() if moment else ""


COLUMNS = (
    Column("handle"),
    Column("name"),
    Column("email", "e-mail"),
    Column("state"),
    Column("groups"),
    Column("person"),
    Column("created_at", "created", as_date),
)
WIDE_COLUMNS = (*COLUMNS, Column("modified_at", "modified", as_date), Column("sub"))
"""Shown only in wide terminals: at 120 columns each user would wrap to three lines."""
VERBOSE = 2
MATCHES = {"tied": "tied", "waiting": "waiting", "none": "unmatched"}


class Command(StackCommand):
    help = (
        "List the users of the Cognito pool and who they are here. In a pipe, or with -v2, also with the sub and the "
        "last change."
    )
    needs = (target.cognito, target.postgres)
    examples = ("", "-v2", "--group admins", "--unmatched", "--json")
    replaces = ("cognito/list-users",)

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--group", metavar="GROUP", help="only the members of this group")
        parser.add_argument(
            "--unmatched", action="store_true", help="only users without a person here, linked or waiting"
        )

    def describe(self) -> str:
        return describe_cognito_stack()

    def act(self, *, group: str | None, unmatched: bool, verbosity: int, **options: Any) -> None:
        pool = user_pool()
        require_group(pool, group)
        with self.progress("users") as advance:
            users = []
            for user in pool.users():
                users.append(user)
                advance(1)
        names = pool.groups()
        groups = groups_by_sub(pool, names)
        rows = sorted(
            (
                row
                for row in (row_of(match, groups.get(match.user.sub, [])) for match in matches(users))
                if (group is None or group in row["groups"]) and not (unmatched and row["match"] != "none")
            ),
            key=lambda row: row["handle"].casefold(),
        )
        columns = COLUMNS if verbosity < VERBOSE and not is_plain(cast("IO[str]", self.stdout)) else WIDE_COLUMNS
        self.write_rows(columns, rows if self.as_json else [{**row, **cells_of(row)} for row in rows])
        self.say(summary(rows, len(users), [group] if group else names), self.style.SUCCESS)


def require_group(pool: UserPool, group: str | None) -> None:
    if group is not None and group not in (groups := pool.groups()):
        raise CommandError(f"There is no group {group} in this pool. There are: {', '.join(groups) or 'none'}.")


def row_of(match: Match, groups: Sequence[str]) -> Mapping[str, Any]:
    """Return a user as machine-readable output."""
    user, person = match.user, match.owner or match.waiting
    return {
        "handle": user.handle,
        "name": user.name,
        "email": user.email,
        "email_verified": user.email_verified,
        "status": user.status,
        "enabled": user.enabled,
        "groups": groups,
        "match": "tied" if match.owner else "waiting" if person else "none",
        "person": person.handle if person else None,
        "person_uuid": person.uuid if person else None,
        "reason": match.obstacle,
        "created_at": user.created_at,
        "modified_at": user.modified_at,
        "username": user.username,
        "sub": user.sub,
    }


def cells_of(row: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the row for a table for people, with several values combined."""
    person = f"@{row['person']}" if row["person"] else ""
    if row["match"] == "waiting":
        person += f" waits: {row['reason']}" if row["reason"] else " waits"
    return {
        "email": row["email"] if row["email_verified"] or not row["email"] else f"{row['email']} (not verified)",
        "state": row["status"] if row["enabled"] else f"{row['status']}, disabled",
        "person": person,
    }


def summary(rows: Sequence[Mapping[str, Any]], total: int, groups: Sequence[str]) -> str:
    """Return how many there are in each state, in each of these groups, and tied to somebody here."""
    matched = Counter(row["match"] for row in rows)
    counts = (
        f"{sum(row['status'] == CONFIRMED for row in rows)} confirmed, "
        f"{sum(row['email_verified'] for row in rows)} verified"
        + "".join(f", {sum(group in row['groups'] for row in rows)} in {group}" for group in groups)
        + "; "
        + ", ".join(f"{matched[match]} {word}" for match, word in MATCHES.items())
    )
    return f"{len(rows)}{f' of {total}' if len(rows) < total else ''} users: {counts}."
