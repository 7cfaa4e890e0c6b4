"""Users in Django admin: `users.admin` with their state in Cognito, and actions on accounts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.contrib.admin import helpers
from django.db.models import Q, QuerySet
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from cruddur.text import is_too_long
from moderation import audit, people
from users.admin import PersonAdmin
from users.cognito.client import CognitoError
from users.handles import skeleton
from users.models import User
from users.permissions import administrates, moderates
from users.search import QUERY_MAX_CHARS

from .permissions import moderator_of

FOR_ADMINISTRATORS = frozenset({"email", "password"})
"""Fields that only administrators see."""


@dataclass(frozen=True, slots=True)
class AdminAction:
    """What an administrator does to accounts, after confirming it."""

    name: str
    label: Promise
    question: Promise
    what_follows: Promise
    do: Callable[[User], str]
    """Returns a sentence on what could not be done, or ""."""
    to_oneself: bool = False
    destroys: bool = True


def synchronise(person: User) -> str:
    try:
        people.synchronise(person)
    except CognitoError as error:
        return str(error)
    return ""


ACTS: Mapping[str, AdminAction] = {
    act.name: act
    for act in (
        AdminAction(
            "synchronise",
            gettext_lazy("Sync with Cognito"),
            gettext_lazy("Bring these people up to what Cognito says?"),
            gettext_lazy("E-mail and rights become what they are there; who is disabled there is disabled here."),
            synchronise,
            to_oneself=True,
            destroys=False,
        ),
        AdminAction(
            "disable",
            gettext_lazy("Disable here and in Cognito"),
            gettext_lazy("Disable these people?"),
            gettext_lazy("They are signed out everywhere at once and cannot sign in. Their messages stay."),
            people.disable,
        ),
        AdminAction(
            "enable",
            gettext_lazy("Enable here and in Cognito"),
            gettext_lazy("Enable these people?"),
            gettext_lazy("They can sign in again."),
            people.enable,
            destroys=False,
        ),
        AdminAction(
            "sign_out",
            gettext_lazy("Sign out everywhere"),
            gettext_lazy("Sign these people out everywhere?"),
            gettext_lazy("Every session of theirs ends at once, with every open page. They can sign in again."),
            people.sign_out,
        ),
    )
}


def admin_action(act: AdminAction) -> Callable[..., HttpResponse | None]:
    def action(
        model_admin: ModeratedPersonAdmin, request: HttpRequest, queryset: QuerySet[User]
    ) -> HttpResponse | None:
        return model_admin.act(request, queryset, act)

    action.__name__ = act.name
    action.short_description = act.label  # type: ignore[attr-defined]
    return action


admin.site.unregister(User)


@admin.register(User)
class ModeratedPersonAdmin(PersonAdmin):
    """Administrators may do everything; moderators may only view, without e-mail addresses."""

    change_form_template = "admin/moderation/user.html"
    actions = [admin_action(act) for act in ACTS.values()]

    def has_module_permission(self, request: HttpRequest) -> bool:
        return moderates(request.user)

    def has_view_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return moderates(request.user)

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return administrates(request.user)

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        return super().get_actions(request) if administrates(request.user) else {}

    # --- What moderators do not see ---------------------------------------------------------------------------------

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        return seen(self.list_display, request)

    def get_search_fields(self, request: HttpRequest) -> list[Any]:
        return seen(self.search_fields, request)

    def get_fieldsets(self, request: HttpRequest, obj: User | None = None) -> Any:
        return [(name, {**parts, "fields": seen(parts["fields"], request)}) for name, parts in self.fieldsets]

    # --- Finding ----------------------------------------------------------------------------------------------------

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[User], search_term: str
    ) -> tuple[QuerySet[User], bool]:
        """Find the beginning of an @handle, and a uuid, with an index; scan all users for anything else."""
        term = search_term.strip()
        if is_too_long(term, at_most=QUERY_MAX_CHARS):
            return queryset.none(), False
        if term.startswith("@") and (begins := skeleton(term.removeprefix("@"))):
            return queryset.filter(handle_skeleton__startswith=begins), False
        try:
            uuid = UUID(term)
        except ValueError:
            return super().get_search_results(request, queryset, search_term)
        return queryset.filter(Q(pk=uuid) | Q(cognito_user_id=term)), False

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        return super().changelist_view(request, {"title": _("People"), **(extra_context or {})})

    # --- A person's page --------------------------------------------------------------------------------------------

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        person = self.get_object(request, object_id)
        context = dict(extra_context or {})
        if person is not None and moderates(request.user):
            if request.method == "GET":
                audit.record(actor=moderator_of(request), act="person.view", subject=audit.of_person(person.uuid))
            context |= {"cognito": cognito_facts(person)}
            if administrates(request.user) and not person.deletion_asked_at:
                context["user_actions"] = [
                    ACTS[name] for name in fitting(person, context["cognito"], itself=person == request.user)
                ]
        return super().change_view(request, object_id, form_url, context)

    def save_model(self, request: HttpRequest, obj: User, form: ModelForm[User], change: bool) -> None:
        audit.record(
            actor=moderator_of(request),
            act="person.edit",
            subject=audit.of_person(obj.uuid),
            fields=form.changed_data,
        )
        super().save_model(request, obj, form, change)

    # --- What is done to them ---------------------------------------------------------------------------------------

    def act(self, request: HttpRequest, queryset: QuerySet[User], act: AdminAction) -> HttpResponse | None:
        """Ask for confirmation; then record and do it for each user, and report what could not be done."""
        chosen = list(queryset.order_by("handle"))
        gone = [person for person in chosen if person.deletion_asked_at]
        for person in gone:
            messages.error(request, _("%(person)s is being deleted, or is: nothing can be done.") % {"person": person})
        mine = [] if act.to_oneself else [person for person in chosen if person == request.user]
        others = [person for person in chosen if person not in [*mine, *gone]]
        if mine:
            messages.error(request, _("This is your own account: another administrator can do this to it."))
        if not others:
            return None
        if request.POST.get("confirmed") != "yes":
            return self._ask(request, others, act)
        for person in others:
            audit.record(actor=moderator_of(request), act=f"person.{act.name}", subject=audit.of_person(person.uuid))
            if problem := act.do(person):
                text = _("@%(handle)s: done here, but not in Cognito. %(problem)s")
                if act.name == "synchronise":
                    text = _("@%(handle)s: not done. %(problem)s")
                messages.warning(request, text % {"handle": person.handle, "problem": problem})
            else:
                messages.success(request, _("@%(handle)s: done.") % {"handle": person.handle})
        return None

    def _ask(self, request: HttpRequest, chosen: Sequence[User], act: AdminAction) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "title": act.label,
            "user_action": act,
            "people": chosen,
            "checkbox": helpers.ACTION_CHECKBOX_NAME,
            "opts": self.opts,
        }
        return TemplateResponse(request, "admin/moderation/confirm_action.html", context)


def fitting(person: User, cognito: Mapping[str, Any], *, itself: bool) -> Iterator[str]:
    """Yield the actions that make sense for the user's state here and in Cognito."""
    yield "synchronise"
    if itself:
        return
    enabled_there = getattr(cognito.get("user"), "enabled", person.is_active)
    if person.is_active or enabled_there:
        yield "disable"
    if not (person.is_active and enabled_there):
        yield "enable"
    yield "sign_out"


def seen(fields: Sequence[Any], request: HttpRequest) -> list[Any]:
    hidden = frozenset() if administrates(request.user) else FOR_ADMINISTRATORS
    return [field for field in fields if field not in hidden]


def cognito_facts(person: User) -> dict[str, Any]:
    """Return the user's current state in Cognito, or why it is unknown."""
    try:
        return {"user": people.cognito_user_of(person)}
    except CognitoError as error:
        return {"problem": str(error)}
