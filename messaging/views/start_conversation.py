"""Start a conversation: find a user, and send the first message."""

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
from messaging.presenters.composer import composer
from messaging.presenters.conversation import own_message
from messaging.queries import conversations
from messaging.queries.conversations import Delivery, Opening
from users.http import AuthenticatedHttpRequest
from users.models import User
from users.people import person_by_handle
from users.search import PeoplePage, find_people

from .composer import ComposerProblem, keep_message, problem_json, refill_composer, with_status
from .conversations import list_context
from .send_message import post_message, respond_sent

PAGE_MAX_DIGITS = 6


@login_required
@require_safe
def new_conversation(request: AuthenticatedHttpRequest) -> HttpResponse:
    """Show the search for users."""
    return render_search(request)


@keep_message
@require_http_methods(["GET", "HEAD", "POST"])
def new_conversation_with(request: AuthenticatedHttpRequest, handle: str) -> HttpResponse:
    """Show an empty conversation with this user, or the existing one; send a posted first message."""
    person = person_by_handle(handle)
    if person is None or not person.is_active:
        raise Http404("Nobody has this handle.")
    if person == request.user:
        return render_search(
            request,
            error=_("@%(handle)s is you. Look for someone else to write to.") % {"handle": person.handle},
            status=HTTPStatus.UNPROCESSABLE_ENTITY,
        )
    if request.method == "POST":
        return create_conversation(request, person)
    if group_uuid := conversations.existing_with(user_uuid=request.user.uuid, other_uuid=person.uuid):
        return redirect("conversation", group_uuid)
    return render_first_message(request, person)


def create_conversation(request: AuthenticatedHttpRequest, person: User) -> HttpResponse:
    """Store the posted first message, or show it again in the composer with the reason."""
    outcome = post_message(
        request,
        lambda form, on_turn: start(request.user, person, form, on_turn),
        group_uuid=pair_group_uuid(request.user.uuid, person.uuid),
        begins=True,
    )
    if isinstance(outcome, ComposerProblem):
        return problem_json(request, outcome) or render_first_message(request, person, problem=outcome)
    return respond_sent(request, outcome)


def start(user: User, person: User, form: MessageForm, on_turn: Callable[[], None]) -> Delivery:
    """Store the first message, as a request where `person` wants requests from users they have never written to."""
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
    """Return the users that match `q` for the search above the list, without those of the conversations in `group`."""
    query = request.GET.get("q", "").replace("\x00", "").strip()
    shown = request.GET.getlist("group")
    found = search_people(request, query, page=1).people
    others = [person for person in found if str(pair_group_uuid(request.user.uuid, person.uuid)) not in shown]
    context = {"query": query, "people": others, "conversations": len(shown)}
    return render(request, "messaging/_people_results.html", context)


def render_first_message(
    request: AuthenticatedHttpRequest, person: User, *, problem: ComposerProblem | None = None
) -> HttpResponse:
    """Render a conversation without messages beside the list; a `problem` puts the posted text into the composer."""
    form = composer(request.path, to=person.display_name, after="")
    context = {
        **list_context(request, also={person.uuid}),
        "person": person,
        "group_uuid": pair_group_uuid(request.user.uuid, person.uuid),
        "composer": refill_composer(form, problem, request) if problem else form,
        "own_message": own_message(request.user.uuid),
    }
    return with_status(render(request, "messaging/first_message.html", context), problem)


def render_search(request: AuthenticatedHttpRequest, *, error: str = "", status: int = HTTPStatus.OK) -> HttpResponse:
    """Render the search with a page of its results."""
    query, page = request.GET.get("q", "").replace("\x00", "").strip(), request.GET.get("page", "")
    number = int(page) if page.isdecimal() and len(page) <= PAGE_MAX_DIGITS else 1
    found = search_people(request, query, page=number)
    return render(
        request, "messaging/start_conversation.html", {"query": query, "found": found, "error": error}, status=status
    )


def search_people(request: AuthenticatedHttpRequest, query: str, *, page: int) -> PeoplePage:
    """Return a page of the users that match. Raise RateLimited, so that nobody can list all users."""
    if query:
        take(LIMITS["searches"], who=str(request.user.uuid), now=timezone.now())
    return find_people(query=query, exclude=request.user, page=page)
