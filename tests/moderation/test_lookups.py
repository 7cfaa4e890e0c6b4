"""Query strings of the admin filter by listed lookups alone, so that nobody reads there what no page shows them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.apps import apps
from django.contrib import admin as django_admin
from django.contrib.admin.exceptions import DisallowedModelAdminLookup
from django.db import connection
from django.db.models import Field, JSONField, Model
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from moderation import audit
from moderation.models import Report
from tests.messaging.pages import without_nonce
from users.admin_lookups import AllowListAdmin
from users.models import User

from .conftest import signed_in

pytestmark = pytest.mark.django_db
ADMINS = django_admin.site._registry
LISTS = {model: f"/admin/{model._meta.app_label}/{model._meta.model_name}/" for model in ADMINS}
RELATIONS_DEEP = 2
SHOWN_TO_MODERATORS = {
    "cognito", "is_active", "is_staff", "created_at", "act", "actor_handle", "at", "state", "reason",
}  # fmt: skip


def fields_of(model: type[Model], deep: int = RELATIONS_DEEP) -> Iterator[tuple[str, Field[Any, Any]]]:
    """Yield the fields of a model and of those related to it, in either direction, by the path that leads there."""
    for field in model._meta.get_fields(include_hidden=True):
        if isinstance(field, Field):
            yield field.name, field
        if field.is_relation and deep and field.related_model:
            for path, other in fields_of(field.related_model, deep - 1):
                yield f"{field.name}__{path}", other


def lookups_of(path: str, field: Field[Any, Any]) -> Iterator[str]:
    """Yield every parameter that filters by the field: each lookup, and each lookup of each transform."""
    yield path
    for name, found in field.get_lookups().items():
        yield f"{path}__{name}"
        for inner in getattr(found, "get_lookups", dict)():
            yield f"{path}__{name}__{inner}"
    if isinstance(field, JSONField):
        for key in ("0", "5", "message", "5__message", "5__user_uuid", "report"):
            yield from (
                f"{path}__{key}{lookup}" for lookup in ("", "__startswith", "__icontains", "__regex", "__isnull")
            )


def parameters_for(model: type[Model]) -> set[str]:
    """Return every lookup of the model, and the field names of every other model."""
    own = {each for path, field in fields_of(model) for each in lookups_of(path, field)}
    others = {field.name for other in apps.get_models() for field in other._meta.get_fields()}
    return own | others


@pytest.fixture
def stored(andrew: User, bayko: User) -> Report:
    """Create a report with a note, a snapshot and a decision, all to be guessed letter by letter."""
    now = timezone.now()
    audit.record(actor=andrew, act="person.view", subject="person:1", reason="Kites")
    return Report.objects.create(
        reporter_uuid=andrew.uuid,
        reported_uuid=bayko.uuid,
        group_uuid=andrew.uuid,
        reason="spam",
        note="Kites",
        snapshot=[{"seq": 1, "message": "Kites"}],
        created_at=now,
    )


@pytest.mark.parametrize("model", ADMINS)
def test_every_admin_has_an_allow_list(model: type[Model]) -> None:
    model_admin = ADMINS[model]

    assert isinstance(model_admin, AllowListAdmin)
    for check in ("lookup_allowed", "to_field_allowed", "view_on_site"):
        assert getattr(type(model_admin), check) is getattr(AllowListAdmin, check), check
    assert {name.partition("__")[0] for name in model_admin.allowed_lookups} <= SHOWN_TO_MODERATORS


@pytest.mark.parametrize("role", ["moderator", "admin"])
@pytest.mark.parametrize("model", ADMINS)
def test_other_lookups_are_rejected_before_any_query(
    request: pytest.FixtureRequest, model: type[Model], role: str
) -> None:
    model_admin = ADMINS[model]
    assert isinstance(model_admin, AllowListAdmin)
    user = request.getfixturevalue(role)
    parameters = parameters_for(model) - set(model_admin.allowed_lookups)
    accepted = []
    with CaptureQueriesContext(connection) as queries:
        for parameter in sorted(parameters):
            asked = RequestFactory().get("/", {parameter: "1"})
            asked.user = user
            try:
                model_admin.get_changelist_instance(asked)
            except DisallowedModelAdminLookup:
                continue
            accepted.append(parameter)

    assert accepted == []
    assert len(queries) == 0
    assert len(parameters) > 250


@pytest.mark.parametrize("model", ADMINS)
def test_rejection_does_not_depend_on_the_value(
    model: type[Model], stored: Report, moderator: User, admin: User, bayko: User
) -> None:
    model_admin = ADMINS[model]
    assert isinstance(model_admin, AllowListAdmin)
    paths = {path: field for path, field in fields_of(model, 1) if path not in model_admin.allowed_lookups}
    known = {field.name: field.value_from_object(stored) for field in Report._meta.fields}
    answers: dict[str, set[tuple[int, str]]] = {"moderator": set(), "admin": set(), "user": set(), "anonymous": set()}
    clients = {"moderator": signed_in(moderator), "admin": signed_in(admin), "user": signed_in(bayko)}
    for path in paths:
        for value in (str(known.get(path, "Kites")), "nothing that is stored"):
            for role, client in {**clients, "anonymous": Client()}.items():
                response = client.get(LISTS[model], {f"{path}__icontains": value})
                answers[role].add((response.status_code, without_nonce(response)))

    assert {role: {status for status, _ in found} for role, found in answers.items()} == {
        "moderator": {400}, "admin": {400}, "user": {403}, "anonymous": {302}
    }  # fmt: skip
    assert [len(found) for found in answers.values()] == [1, 1, 1, 1], "the same page whatever is asked"


@pytest.mark.parametrize(
    ("address", "query"),
    [
        ("moderation/report", {"snapshot__0__message__startswith": "K"}),
        ("moderation/report", {"snapshot__regex": "("}),
        ("moderation/report", {"note__icontains": "Kites"}),
        ("moderation/report", {"decision__reason__startswith": "K"}),
        ("moderation/report", {"created_at__year": "99999999999"}),
        ("users/user", {"has_notice": "1"}),
        ("users/user", {"may_write": "nobody"}),
        ("users/user", {"deletion_asked_at__isnull": "0"}),
        ("users/user", {"email__startswith": "b"}),
        ("users/user", {"password__startswith": "!"}),
        ("users/user", {"_to_field": "email"}),
        ("users/user", {"_to_field": "password"}),
        ("users/user", {"created_at__gte": "0001-01-01 00:00:00+23:59"}),
        ("users/user", {"created_at__gte": "9999-12-31 23:59:59-23:59"}),
        ("users/user", {"is_active__exact": "x"}),
        ("moderation/auditentry", {"facts__report": "1"}),
        ("moderation/auditentry", {"at__gte": "x"}),
    ],
)
@pytest.mark.parametrize("role", ["moderator", "admin"])
def test_lookups_that_leaked_values_are_rejected(
    request: pytest.FixtureRequest, stored: Report, role: str, address: str, query: dict[str, str]
) -> None:
    assert signed_in(request.getfixturevalue(role)).get(f"/admin/{address}/", query).status_code == 400


@pytest.mark.parametrize("role", ["moderator", "admin"])
@pytest.mark.parametrize("model", ADMINS)
def test_every_offered_filter_works(
    request: pytest.FixtureRequest, model: type[Model], role: str, stored: Report
) -> None:
    client = signed_in(request.getfixturevalue(role))
    changelist = client.get(LISTS[model]).context["cl"]
    links = [choice["query_string"] for spec in changelist.filter_specs for choice in spec.choices(changelist)]

    assert len(links) > 3
    assert {link: client.get(LISTS[model] + link).status_code for link in links} == dict.fromkeys(links, 200)


@pytest.mark.parametrize("model", ADMINS)
def test_moderator_can_order_only_by_columns(model: type[Model], moderator: User, stored: Report) -> None:
    client = signed_in(moderator)
    hidden = {"email", "password", "note", "snapshot", "facts", "has_notice", "deletion_asked_at", "may_write"}
    asked = [*map(str, range(-20, 20)), "99999999999999999999", *hidden, *(f"-{each}" for each in hidden), "²", "1.x"]

    for order in asked:
        page = client.get(LISTS[model], {"o": order})
        assert page.status_code == 200, order
        ordering = {str(each).lstrip("-") for each in page.context["cl"].queryset.query.order_by}
        assert not ordering & hidden, order


@pytest.mark.parametrize("text", ["Kites", "bayko@cruddur", "sub-nobody", "{}", "!"])
def test_moderator_cannot_search_hidden_fields(moderator: User, stored: Report, text: str) -> None:
    client = signed_in(moderator)
    text = json.dumps(stored.snapshot) if text == "{}" else text

    def found(model: type[Model], **query: str) -> list[object]:
        return [each.pk for each in client.get(LISTS[model], query).context["cl"].result_list]

    assert found(Report, q=text) == found(Report), "reports are not searched"
    assert found(User, q=text) == []
    assert not any("Kites" in str(each) for each in found(apps.get_model("moderation.AuditEntry"), q=text))


def test_rows_cannot_be_found_by_number(moderator: User, admin: User, stored: Report) -> None:
    for person in (moderator, admin):
        client = signed_in(person)
        statuses = {client.get(f"/admin/r/{number}/{pk}/").status_code for number in range(30) for pk in (1, stored.pk)}
        assert statuses == {404}


def test_page_of_a_user_links_to_their_profile(moderator: User, bayko: User) -> None:
    assert 'href="/@bayko"' in signed_in(moderator).get(f"{LISTS[User]}{bayko.pk}/change/").content.decode()


@pytest.mark.parametrize("selected", ["x", "1", "9" * 40, "../"])
def test_invalid_selection_is_rejected(admin: User, selected: str) -> None:
    form = {"action": "disable", "_selected_action": selected, "confirmed": "yes"}

    assert signed_in(admin).post(LISTS[User], form).status_code == 400
