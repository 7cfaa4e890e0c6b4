"""Starting a conversation: finding someone, and the first message."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from cruddur.web.rate_limits import LIMITS, take
from messaging.actions import message_requests
from messaging.dynamodb.items import pair_group_uuid
from messaging.forms import MessageForm
from messaging.queries import conversations
from messaging.queries.conversations import Delivery, Opening
from users.http import AuthenticatedHttpRequest
from users.models import User
from users.people import person_by_handle
from users.search import PeoplePage, find_people

from .http import keeps_the_message
from .pages import first_page
from .send_message import Problem, post_message, problem_body, sent

DIGITS_AT_MOST = 6


@login_required
@require_safe
def new_conversation(request: AuthenticatedHttpRequest) -> HttpResponse:
    return search_page(request)


@keeps_the_message
@require_http_methods(["GET", "HEAD", "POST"])
def new_conversation_with(request: AuthenticatedHttpRequest, handle: str) -> HttpResponse:
    person = person_by_handle(handle)
    if person is None or not person.is_active:
        raise Http404("Nobody has this handle.")
    if person == request.user:
        return search_page(
            request,
            error=_("@%(handle)s is you. Look for someone else to write to.") % {"handle": person.handle},
            status=HTTPStatus.UNPROCESSABLE_ENTITY,
        )
    if request.method == "POST":
        return create_conversation(request, person)
    if group_uuid := conversations.existing_with(user_uuid=request.user.uuid, other_uuid=person.uuid):
        return redirect("conversation", group_uuid)
    return first_page(request, person, url=request.path)


def create_conversation(request: AuthenticatedHttpRequest, person: User) -> HttpResponse:
    outcome = post_message(
        request,
        lambda form, on_turn: start(request.user, person, form, on_turn),
        group_uuid=pair_group_uuid(request.user.uuid, person.uuid),
        begins=True,
    )
    if isinstance(outcome, Problem):
        return problem_body(request, outcome) or first_page(request, person, url=request.path, problem=outcome)
    return sent(request, outcome)


def start(user: User, person: User, form: MessageForm, on_turn: Callable[[], None]) -> Delivery:
    """Store the first message as the person wants it from those they do not know."""
    now, opening = timezone.now(), message_requests.opening_to(person)

    def on_turn_and_expected() -> None:
        on_turn()
        if opening is Opening.REQUEST:
            message_requests.expect(person, now=now)

    return conversations.start(
        user_uuid=user.uuid,
        other_uuid=person.uuid,
        text=form.cleaned_data["message"],
        message_uuid=form.cleaned_data["message_uuid"],
        now=now,
        opening=opening,
        on_turn=on_turn_and_expected,
    )


@never_cache
@login_required
@require_safe
def people(request: AuthenticatedHttpRequest) -> HttpResponse:
    """People for `q`, for the search over the list; `group` names the conversations that it shows already."""
    query = request.GET.get("q", "").replace("\x00", "").strip()
    shown = request.GET.getlist("group")
    found = look_for(request, query, page=1).people
    others = [person for person in found if str(pair_group_uuid(request.user.uuid, person.uuid)) not in shown]
    context = {"query": query, "people": others, "conversations": len(shown)}
    return render(request, "messaging/_people_results.html", context)


def search_page(request: AuthenticatedHttpRequest, *, error: str = "", status: int = HTTPStatus.OK) -> HttpResponse:
    """The search, with whom it found."""
    query, page = request.GET.get("q", "").replace("\x00", "").strip(), request.GET.get("page", "")
    number = int(page) if page.isdecimal() and len(page) <= DIGITS_AT_MOST else 1
    found = look_for(request, query, page=number)
    return render(
        request, "messaging/start_conversation.html", {"query": query, "found": found, "error": error}, status=status
    )


def look_for(request: AuthenticatedHttpRequest, query: str, *, page: int) -> PeoplePage:
    """Who is found. Raises RateLimited for someone who goes through everybody."""
    if query:
        take(LIMITS["searches"], who=str(request.user.uuid), now=timezone.now())
    return find_people(query=query, exclude=request.user, page=page)
