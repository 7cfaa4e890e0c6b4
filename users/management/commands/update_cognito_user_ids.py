from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError, CommandParser

from cruddur.cli import target
from cruddur.cli.base_command import StackCommand
from cruddur.cli.target import describe_cognito_stack
from cruddur.cli.terminal import printable
from cruddur.net import is_loopback
from cruddur.postgres.server import is_on_this_machine
from users.cognito.linking import Link, handles_waiting, link_people
from users.cognito.pool import user_pool

VERBOSE = 2
SENTENCES = {
    "tied": "@{handle} is now {sub}.",
    "would_tie": "@{handle} would be tied to {sub}.",
    "created": "@{handle} was made for {sub}.",
    "would_create": "@{handle} would be made for {sub}.",
    "mismatch": "@{handle} is not {sub}. {reason}",
    "unknown": "@{handle} was not made for {sub}. {reason}",
    "already": "@{handle} is {sub} already.",
    "no_handle": "{email} ({sub}) was skipped. {reason}",
}
ONLY_VERBOSE = frozenset(("already", "no_handle"))


class Command(StackCommand):
    help = (
        "Link people who wait for Cognito ('MOCK') to users by handle and e-mail. The e-mail has to be verified; if "
        "only the handle matches it says so. Safe to run again, and twice at once."
    )
    needs = (target.cognito, target.postgres)
    examples = ("--dry-run", "", "--create-missing", "--replace-lost", "--dry-run --json")
    replaces = ("db/update_cognito_user_ids",)
    when_stopped = "Stopped. Who was tied or made stays so; run it again for the rest."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="change nothing, say what would happen")
        parser.add_argument(
            "--replace-lost",
            action="store_true",
            help="also link people whose Cognito user is gone, as after the local pool was deleted; only if pool "
            "and database are on this machine",
        )
        parser.add_argument(
            "--create-missing",
            action="store_true",
            help="also create a person, as the first sign-in would, for each confirmed, enabled user with a "
            "verified e-mail and a free handle; say why not for others",
        )

    def describe(self) -> str:
        return describe_cognito_stack()

    def act(self, *, dry_run: bool, create_missing: bool, replace_lost: bool, verbosity: int, **options: Any) -> None:
        if replace_lost and not may_replace_lost():
            raise CommandError(
                "--replace-lost is for a pool and a database on this machine: elsewhere, who has somebody's handle and "
                "e-mail in another pool need not be that person. Nobody was tied."
            )
        counts: Counter[str] = Counter()
        to_tie, lost = set(), 0
        for link in link_people(
            user_pool().users(), create_missing=create_missing, replace_lost=replace_lost, dry_run=dry_run
        ):
            counts[link.outcome] += 1
            lost += link.was_lost
            if link.outcome == "would_tie" and link.person:
                to_tie.add(link.person.handle)
            if self.as_json:
                self.write_rows((), [row_of(link)])
            elif verbosity >= VERBOSE or is_told(link, create_missing=create_missing):
                self.say(f"  {sentence_of(link)}", self.style.WARNING if link.reason else None)
        waiting = [handle for handle in handles_waiting() if handle not in to_tie]
        if verbosity >= VERBOSE and not self.as_json:
            for handle in waiting:
                self.say(f"  @{handle} waits.")
        numbers = {outcome: counts[outcome] for outcome in SENTENCES}
        self.done(
            summary(counts, waiting, lost=lost, dry_run=dry_run),
            **numbers, replaced_lost=lost, waiting=waiting, dry_run=dry_run,
        )  # fmt: skip


def is_told(link: Link, *, create_missing: bool) -> bool:
    return link.outcome not in ONLY_VERBOSE and (create_missing or link.outcome != "unknown")


def row_of(link: Link) -> Mapping[str, Any]:
    """Return a Cognito user as machine-readable output."""
    return {
        "outcome": link.outcome,
        "reason": link.reason,
        "handle": link.user.handle,
        "email": link.user.email,
        "sub": link.user.sub,
        "person": link.person.handle if link.person else None,
        "person_uuid": link.person.uuid if link.person else None,
    }


def sentence_of(link: Link) -> str:
    handle = link.person.handle if link.person else link.user.handle
    user = link.user
    return printable(
        SENTENCES[link.outcome].format(handle=handle, sub=user.sub, email=user.email, reason=link.reason).rstrip()
    )


def may_replace_lost() -> bool:
    """Return whether pool and database are both local, so that their data is invented."""
    return is_loopback(settings.COGNITO_ENDPOINT_URL) and is_on_this_machine() and not settings.PRODUCTION


def summary(counts: Mapping[str, int], waiting: Sequence[str], *, lost: int, dry_run: bool) -> str:
    """Return the summary line.

    `counts` is by outcome; `lost` of the linked people had a Cognito user that no longer exists.
    """
    if dry_run:
        done = f"{counts['would_tie']} people would be tied, {counts['would_create']} made"
    else:
        done = f"{counts['tied']} people tied, {counts['created']} made"
    if lost:
        done += f" (the pool is another one: it has no longer the users that {lost} of them were)"
    return (
        f"{done}, {counts['already']} were tied already, {counts['mismatch']} mismatches, {counts['unknown']} Cognito "
        f"users without a person here, {counts['no_handle']} without a handle; {len(waiting)} people wait for Cognito."
        f"{' Nothing was changed.' if dry_run else ''}"
    )
