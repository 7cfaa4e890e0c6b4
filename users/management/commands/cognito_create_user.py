import sys
from collections.abc import Iterator, Sequence
from getpass import getpass
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError, CommandParser

from cruddur.cli import target
from cruddur.cli.base_command import StackCommand
from cruddur.cli.target import describe_cognito_stack
from cruddur.net import is_loopback
from users.cognito.linking import CONFIRMED
from users.cognito.pool import user_pool
from users.cognito.provisioning import Account, complete_account, look_up_account
from users.models import MOCK, User
from users.permissions import ADMINS, GROUPS


class Command(StackCommand):
    help = (
        "Create a Cognito user, for example the first administrator. Cognito mails an invitation, unless "
        "--set-password gives a password. The e-mail counts as verified. An existing user gets the missing groups, "
        "and a password if one is given."
    )
    needs = (target.cognito, target.postgres)
    examples = (
        "ann ann@example.com --name 'Ann Example' --admin",
        "ann ann@example.com --admin --set-password",
        "mo mo@example.com --group moderators --set-password < password-file",
    )
    when_stopped = "Stopped. Run it again: it completes what was begun."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("handle", metavar="HANDLE", help="the handle, with or without @; set once")
        parser.add_argument("email", metavar="EMAIL", help="the e-mail address they sign in with")
        parser.add_argument("--name", default="", help="the name; default: the handle")
        parser.add_argument(
            "--group",
            action="append",
            default=[],
            metavar="GROUP",
            help=f"a group; may be repeated; {' and '.join(GROUPS)} are created if missing",
        )
        parser.add_argument("--admin", action="store_true", help=f"the group {ADMINS}, created if missing")
        parser.add_argument(
            "--set-password",
            action="store_true",
            help="ask twice for a permanent password, or read it from standard input; nothing is mailed",
        )

    def describe(self) -> str:
        return describe_cognito_stack()

    def act(
        self,
        *,
        handle: str,
        email: str,
        name: str,
        group: Sequence[str],
        admin: bool,
        set_password: bool,
        **options: Any,
    ) -> None:
        pool = user_pool()
        groups = list(dict.fromkeys([*group, *([ADMINS] if admin else [])]))
        account = look_up_account(pool, handle=handle, email=email, name=name, groups=groups)
        if account.user is None and not set_password and is_loopback(settings.COGNITO_ENDPOINT_URL):
            raise CommandError("The local stack mails no invitations: add --set-password.")
        password = self.new_password() if set_password else None
        user = complete_account(pool, account, password=password)
        for sentence in told(account, with_password=set_password):
            self.say(f"  {sentence}")
        self.done(
            f"They sign in at {settings.APP_URL} with {account.email}; {who_they_are(account.person)}",
            handle=account.handle,
            email=account.email,
            sub=user.sub,
            created=account.user is None,
            invited=account.user is None and not set_password,
            password_set=set_password,
            groups=groups,
            person=account.person.handle if account.person else None,
            sign_in_at=settings.APP_URL,
        )

    def new_password(self) -> str:
        """Read the password twice from a terminal, else once from a line of standard input."""
        if not sys.stdin.isatty():
            password = sys.stdin.readline().rstrip("\r\n")
        elif (password := getpass("Password: ")) != getpass("Again: "):
            raise CommandError("The two passwords differ: nothing was changed.")
        if not password:
            raise CommandError("No password was given: nothing was changed.")
        return password


def told(account: Account, *, with_password: bool) -> Iterator[str]:
    """Yield sentences that say what was done."""
    if account.user is None:
        yield f"@{account.handle} was made in Cognito."
    else:
        yield f"@{account.handle} is in Cognito already ({account.user.status})."
        if not account.user.email_verified:
            yield "Their e-mail is not verified, so nobody here can be tied to them: they sign in and verify it."
    if with_password:
        yield "Their password is the one given."
    elif account.user is None:
        yield f"An invitation with a temporary password is on its way to {account.email}."
    elif account.user.status != CONFIRMED:
        yield "Their password is still the temporary one of the invitation: --set-password gives one that lasts."
    for group in account.groups:
        made = ", which was made" if group in account.groups_to_make else ""
        yield f"They are in the group {group}{made}."


def who_they_are(person: User | None) -> str:
    if person is None:
        return "the person appears here at the first sign-in."
    if person.cognito_user_id == MOCK:
        return f"@{person.handle} waits here for them: run `manage.py update_cognito_user_ids` before that."
    return f"they are @{person.handle} here."
