"""Rate limits of each URL, by user or by network.

`BUCKETS` has a line for every URL. Reads are counted in each process, because a statement of SQL for every page would
cost more than it saves; writes are counted in Postgres, for all processes together.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from .errors import too_many_requests
from .middleware import GetResponse
from .rate_limits import LIMITS, RateLimited, take, take_in_process


class Buckets(NamedTuple):
    """The names of the limits of one URL, each a setting RATE_…; "" for no limit."""

    reading: str = ""
    """Of GET and HEAD."""
    writing: str = ""
    """Of every other method."""
    in_view: tuple[str, ...] = ()
    """Taken by the view itself, which knows more of the request."""
    ahead: tuple[str, ...] = ()
    """Taken before Django handles the request."""


PAGE = Buckets("pages", "changes")
UPDATE = Buckets("updates", "changes")
# The view takes the tokens of messages when it is the sender's turn, and it takes none from people who are not members.
# By then it has read the session, the user and the conversation: that is what "sends" limits.
SEND = Buckets("pages", "sends", in_view=("messages", "messages_to_one"))
# By network, and only once the view knows that a sign-in of this browser is under way: another site's page could
# otherwise use up the tokens of everybody who shares an address.
SIGN_IN = Buckets(in_view=("sign_ins",))
UNLIMITED = Buckets()
"""For pages that read neither DynamoDB nor Postgres for signed-out visitors."""

BUCKETS: Mapping[str, Buckets] = {
    # Before one is signed in
    "landing": UNLIMITED,
    "sign_in_failed": UNLIMITED,
    "account_deleted": UNLIMITED,
    "manifest": UNLIMITED,
    "sign_up": SIGN_IN,
    "forgot_password": SIGN_IN,
    "oidc_authentication_init": SIGN_IN,
    "oidc_authentication_callback": SIGN_IN,
    "choose_handle": Buckets(in_view=("handles",)),
    "oidc_logout": PAGE,
    # A load balancer asks these of each process; `/readyz` looks once a second however often it is asked.
    "healthz": UNLIMITED,
    "readyz": UNLIMITED,
    # One's account
    "profile": PAGE,
    "settings": PAGE,
    "privacy_settings": PAGE,
    "browser_settings": PAGE,
    "shortcuts": PAGE,
    "export_data": Buckets("pages", "exports"),
    "delete_account": PAGE,
    # Messages
    "conversations": PAGE,
    "message_requests": PAGE,
    "archived": PAGE,
    "people": Buckets("updates", "changes", in_view=("searches",)),
    "new_conversation": Buckets("pages", "changes", in_view=("searches",)),
    "new_conversation_with": SEND._replace(in_view=(*SEND.in_view, "new_conversations")),
    "conversation": SEND,
    "conversation_menu": PAGE,
    "message_menu": PAGE,
    "edit_message": SEND,
    "delete_message": PAGE,
    "block": Buckets("pages", "blocks"),
    "unblock": Buckets("pages", "blocks"),
    "mute": PAGE,
    "archive": PAGE,
    "mark_unread": PAGE,
    "answer_request": PAGE,
    "report_conversation": PAGE._replace(in_view=("reports",)),
    "report_message": PAGE._replace(in_view=("reports",)),
    "acknowledge_notice": PAGE,
    # What an open page asks for
    "stream": Buckets(ahead=("streams",)),
    "conversation_rows": UPDATE,
    "form_token": UPDATE,
    "message_window": UPDATE,
    "sync": UPDATE,
    "alert": UPDATE,
    "mark_read": Buckets("pages", "read_marks"),
    "typing": Buckets("pages", "typing"),
}
ADMIN = Buckets("admin", "admin")
"""For every page of the admin."""

IN_THIS_PROCESS = frozenset({"pages", "sends", "updates", "typing", "admin"})


def buckets_of(view_name: str) -> Buckets:
    """Return the buckets of a URL by the name of its view; those of a page if it has no line."""
    return ADMIN if view_name.startswith("admin:") else BUCKETS.get(view_name, PAGE)


class AddressLimitMiddleware:
    """Take a token for each request before its view runs; answer 429 without one, and keep the posted text."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, *_view: Any) -> HttpResponse | None:
        match = request.resolver_match
        buckets = buckets_of(match.view_name if match else "")
        name = buckets.reading if request.method in {"GET", "HEAD"} else buckets.writing
        if not name:
            return None
        try:
            take_token(name, request)
        except RateLimited as limited:
            return too_many_requests(request, retry_after=limited.retry_after)
        except (OperationalError, InterfaceError):
            # Without Postgres nobody is signed in: the view has a better response.
            return None
        return None


def take_token(name: str, request: HttpRequest) -> None:
    """Take a token of this limit for the signed-in user, if there is one. Raise RateLimited."""
    if request.user.is_authenticated:
        take_from = take_in_process if name in IN_THIS_PROCESS else take
        take_from(LIMITS[name], who=str(request.user.pk), now=timezone.now())
