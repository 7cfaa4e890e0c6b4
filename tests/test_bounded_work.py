"""The longest text of the worst characters, sent to every field and every address, is little work.

What costs more than its length is counted, not timed: characters that are normalised, compared by shape, searched for
links, or held against a pattern. A new address, form or field is found by the walk.
"""

from __future__ import annotations

import ast
import re
import sys
import unicodedata
from collections import Counter
from collections.abc import Iterator, Set
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import quote

import precis_i18n.profile
import pytest
from django import forms
from django.test import Client
from linkify_it import LinkifyIt

from cruddur import text as texts
from cruddur.web.rate_limits import LIMITS, Limit
from messaging.domain.text import MESSAGE_MAX_CHARS
from messaging.dynamodb.table import MessageTable
from messaging.presenters.rich_text import is_emoji, parts
from users import handles
from users.models import User

from .messaging.talk import start
from .test_every_address import FORMS, routes

ROOT = Path(__file__).parents[1]
PACKAGES = ("cruddur", "users", "messaging", "moderation", "legacy_import")

# Marks that trade places, which normalising sorts; what decomposes into 18 or into marks alone; symbols that two
# parts of a pattern match; beginnings of links.
WORST = "\u0301\u0316\ufdfa\uff9e\u0301\u26a1\ufe0f\u200dhttp://@a/\u0f73"
MARKS = "\u0301\u0316"
BODY_BYTES = 250 * 1024
"""Of a text in a form that is as long as BODY_MAX_BYTES lets it be."""
ADDRESS_CHARS = 10_000
"""Of six bytes, percent-encoded, in the 64 KiB that uvicorn reads of a request before its body."""
LONGEST = tuple(text * (BODY_BYTES // len(text.encode())) for text in (MARKS, WORST))
ALLOWED = tuple((WORST * MESSAGE_MAX_CHARS)[:length] for length in (4 * MESSAGE_MAX_CHARS, MESSAGE_MAX_CHARS, 160, 64))
"""As long as may be looked at, and as may be stored, of a message, a bio and a name."""
BUDGET = 4 * texts.LONGEST_DECOMPOSITION * MESSAGE_MAX_CHARS
"""Characters of one request that a costly function may be given: a message as long as may be looked at, a few times."""
LONGEST_RUN = 2 * texts.MARKS_IN_A_ROW
"""Marks in a row that may be normalised, which costs their square: a mark may be decomposed into two."""


class Work:
    """The texts that the costly functions received."""

    def __init__(self) -> None:
        self.chars: Counter[str] = Counter()
        self.longest_run = 0

    def note(self, what: str, text: str) -> None:
        self.chars[what] += len(text)

    def note_normalising(self, text: str) -> None:
        self.note("normalised", text)
        run = 0
        for char in text:
            run = run + 1 if unicodedata.combining(char) else 0
            self.longest_run = max(self.longest_run, run)

    def reset(self) -> None:
        self.chars.clear()
        self.longest_run = 0


class CountedPattern:
    """A compiled pattern that notes what it is held against."""

    def __init__(self, pattern: re.Pattern[Any], work: Work) -> None:
        self._pattern, self._work = pattern, work

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._pattern, name)
        if not callable(found):
            return found

        def noted(*arguments: Any, **options: Any) -> Any:
            # `sub` takes what is to stand there first.
            text = arguments[1 if name in {"sub", "subn"} else 0]
            self._work.note("held against a pattern", text)
            return found(*arguments, **options)

        return noted


def own_modules() -> Iterator[ModuleType]:
    return (module for name, module in list(sys.modules.items()) if name.partition(".")[0] in PACKAGES)


@pytest.fixture
def work(monkeypatch: pytest.MonkeyPatch) -> Work:
    work = Work()
    normalize, enforce, match = unicodedata.normalize, precis_i18n.profile.Profile.enforce, LinkifyIt.match
    prototypes = handles.prototypes

    def counted_normalize(form: Any, text: str) -> str:
        work.note_normalising(text)
        return normalize(form, text)

    def counted_enforce(self: Any, text: str, *arguments: Any) -> Any:
        work.note("prepared as a handle", text)
        return enforce(self, text, *arguments)

    def counted_match(self: Any, text: str) -> Any:
        work.note("searched for links", text)
        return match(self, text)

    def counted_prototypes(text: str) -> str:
        work.note("compared by shape", text)
        return prototypes(text)

    monkeypatch.setattr(unicodedata, "normalize", counted_normalize)
    monkeypatch.setattr(precis_i18n.profile.Profile, "enforce", counted_enforce)
    monkeypatch.setattr(LinkifyIt, "match", counted_match)
    monkeypatch.setattr(handles, "prototypes", counted_prototypes)
    for module in own_modules():
        for name, value in list(vars(module).items()):
            if isinstance(value, re.Pattern):
                monkeypatch.setattr(module, name, CountedPattern(value, work))
    return work


def own_fields() -> Iterator[tuple[str, forms.Field]]:
    """Yield the fields of every form of the site, including the admin's."""
    list(routes())  # imports the views and their forms
    pending: list[Any] = [forms.BaseForm]
    while pending:
        form = pending.pop()
        pending += form.__subclasses__()
        if form.__module__.partition(".")[0] in PACKAGES:
            yield from getattr(form, "base_fields", {}).items()


def names_of_text() -> set[str]:
    return {name for name, field in own_fields() if isinstance(field, forms.CharField)}


def every_name(sources: Set[str] = frozenset({"GET", "POST"})) -> list[str]:
    """Return every name that a view reads from a query or a form, and the names of all form fields."""
    found = {name for name, _ in own_fields()} if "POST" in sources else set()
    for package in PACKAGES:
        for path in (ROOT / package).rglob("*.py"):
            found |= set(names_read(ast.parse(path.read_text(encoding="utf-8")), sources))
    return sorted(found)


def names_read(tree: ast.AST, sources: Set[str]) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Subscript):
            source, name = node.value, node.slice
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args:
            source, name = node.func.value, node.args[0]
        else:
            continue
        if isinstance(source, ast.Attribute) and source.attr in sources and isinstance(name, ast.Constant):
            yield str(name.value)


@pytest.fixture
def places(moto_table: MessageTable, andrew: User, bayko: User, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Create an administrator who is a member of a conversation, and lift rate limits; return the URL arguments."""
    for name in LIMITS:
        monkeypatch.setitem(LIMITS, name, Limit(name, 10**6, 0.001))
    User.objects.filter(pk=andrew.pk).update(is_staff=True, is_superuser=True)
    message = start(by=andrew.uuid, to=bayko.uuid)
    return {
        "uuid:group_uuid": str(message.group_uuid), "str:created_at": message.created_at, "str:handle": "bayko",
        "path:object_id": str(bayko.pk), "uuid:user_uuid": str(bayko.pk), "path:content_type_id": "1", "int:pk": "1",
    }  # fmt: skip


@pytest.fixture
def administrator(client: Client, places: dict[str, str], andrew: User) -> Client:
    client.force_login(andrew)
    client.raise_request_exception = False
    return client


def path_of(route: str, filled: dict[str, str]) -> str:
    path = "/" + re.sub(r"<([a-z]+:[a-z_]+)>", lambda match: quote(filled[match[1]], safe=""), route)
    return re.sub(r"\^\(\?P<app_label>.*\)/\$$", "users/", path).replace("(?P<url>.*)$", "nothing")


def every_route() -> list[str]:
    # Signing out and deleting end the walk, and take no text but a handle that is compared as it stands.
    return [route for route in dict.fromkeys(routes()) if "logout" not in route]


def check(work: Work, what: object, status: int) -> None:
    assert status < 500 or status == 503, what
    assert work.longest_run <= LONGEST_RUN, what
    for how, chars in work.chars.items():
        assert chars <= BUDGET, (what, how, chars)


def test_the_walk_knows_the_fields_that_people_write_into() -> None:
    assert {"message", "display_name", "bio", "handle", "note", "reason", "text", "one", "q", "next", "after"} <= set(
        every_name()
    )


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_a_form_of_the_worst_text_is_little_work_in_every_field(
    administrator: Client, places: dict[str, str], work: Work
) -> None:
    names, written = every_name(), names_of_text() | {"q"}
    tried: set[tuple[str, str, int]] = set()
    for route in every_route():
        if administrator.options(path_of(route, places)).get("Allow", "POST").find("POST") < 0:
            continue
        base = FORMS.get(route, {})
        share = LONGEST[0][: len(LONGEST[0]) // len(names)]
        together = [(f"all but {sorted(base)}", {**dict.fromkeys(names, share), **base})]
        # A few of the admin's pages have forms of ours; the others take long to make.
        texts_of_route = (LONGEST[0], ALLOWED[1]) if route.startswith("admin/") else (*LONGEST, *ALLOWED)
        alone = [(name, {**base, name: text}) for name in written for text in texts_of_route]
        for name, form in (*together, *alone):
            work.reset()
            response = administrator.post(path_of(route, places), form)
            assert response.status_code != 413, "the body is as long as it may be, and no longer"
            check(work, (route, name), response.status_code)
            tried.add((route, name, len(form.get(name, ""))))
    assert ("messages/<uuid:group_uuid>", "message", 4096) in tried
    assert ("settings", "bio", len(LONGEST[0])) in tried


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_a_query_of_the_worst_text_is_little_work_in_every_address(
    administrator: Client, places: dict[str, str], work: Work
) -> None:
    worst = MARKS * (ADDRESS_CHARS // 2)
    asked, names = every_name({"GET"}), every_name()
    assert {"q", "before", "next"} <= set(asked)
    for route in every_route():
        # Django's own pages read names of their own, and each takes long to make.
        alone = [] if route.startswith("admin/") else [{name: worst} for name in asked]
        for query in (*alone, dict.fromkeys(names, worst)):
            work.reset()
            response = administrator.get(path_of(route, places), query)
            check(work, (route, *query), response.status_code)


@pytest.mark.parametrize("length", [ADDRESS_CHARS, 4 * handles.HANDLE_MAX_CHARS, handles.HANDLE_MAX_CHARS])
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_an_address_of_the_worst_text_is_little_work(
    administrator: Client, places: dict[str, str], work: Work, length: int
) -> None:
    tried, part = 0, WORST.replace("/", "")
    for route in every_route():
        for place in places:
            if f"<{place}>" not in route or place.partition(":")[0] not in {"str", "path"}:
                continue
            for method in ("get", "post"):
                work.reset()
                path = path_of(route, {**places, place: (part * length)[:length]})
                response = getattr(administrator, method)(path)
                check(work, (method, route, place), response.status_code)
                tried += 1
    assert tried > 10


@pytest.mark.parametrize("next_url", ["http://" + MARKS * 5_000, "//" + MARKS * 900, "/\\" + MARKS * 5_000])
@pytest.mark.django_db
def test_where_to_go_next_is_little_work_for_whoever_is_signed_out(client: Client, work: Work, next_url: str) -> None:
    for method, path in (("get", "/"), ("post", "/oidc/authenticate/")):
        work.reset()
        response = getattr(client, method)(path, {"next": next_url})
        check(work, path, response.status_code)
    work.reset()
    check(work, "log in", client.get("/admin/login/", {"next": next_url}).status_code)


def test_one_module_normalises() -> None:
    found = {
        str(path.relative_to(ROOT))
        for package in PACKAGES
        for path in (ROOT / package).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute) and node.attr in {"normalize", "is_normalized"}
    }

    assert found == {"cruddur/text.py"}


# --- What is bounded by how it is written -----------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["NFC", "NFD", "NFKC", "NFKD"])
def test_long_runs_of_marks_are_cut_and_short_ones_are_not(form: texts.Form) -> None:
    short = "a" + MARKS * 15
    assert texts.normalise(form, short) == unicodedata.normalize(form, short)

    cut = texts.normalise(form, "a" + MARKS * 5_000)

    assert max(map(len, re.findall("[\u0300-\u034e\u0350-\u036f]+", cut))) <= texts.MARKS_IN_A_ROW
    assert cut.replace(texts.GRAPHEME_JOINER, "").count("\u0316") == 5_000, "no mark is lost"
    assert texts.normalise(form, cut) == cut, "what is normalised stays as it is"


def test_every_character_that_decomposes_into_marks_alone_counts_as_one(work: Work) -> None:
    hidden = [
        char
        for char in map(chr, range(sys.maxunicode + 1))
        if not unicodedata.combining(char)
        and (nfkd := unicodedata.decomposition(char))
        and unicodedata.combining(chr(int(nfkd.split()[1 if nfkd.startswith("<") else 0], 16)))
    ]
    assert hidden
    for char in hidden:
        assert max(map(len, texts.normalise("NFKD", f"{char}\u0301" * 200).split(texts.GRAPHEME_JOINER))) <= 62


def test_no_text_is_normalised_that_is_too_long_however_it_is_composed(work: Work) -> None:
    with pytest.raises(texts.TextTooLong) as too_long:
        texts.normalise_text("é" * 4097, at_most=1024)

    assert too_long.value.over == 3073
    assert work.chars == {}


def test_the_longest_decomposition_is_what_the_bound_says() -> None:
    assert (
        max(len(unicodedata.normalize("NFD", char)) for char in map(chr, range(0xD800))) == texts.LONGEST_DECOMPOSITION
    )
    longest = "\u1f82".join([""] * 1025)
    assert texts.normalise_text(unicodedata.normalize("NFD", longest), at_most=1024) == longest


@pytest.mark.parametrize("symbol", ["\u26a1\ufe0f", "\u231a\ufe0f", "\U0001f469", "\u261d\U0001f3fd"])
def test_a_sequence_of_many_emoji_is_told_at_once_not_to_be_three(symbol: str) -> None:
    # With a pattern that may match a symbol in two ways, 40 of them would take days.
    assert not is_emoji("\u200d".join([symbol] * 40) + "x")
    assert not is_emoji("\u200d".join([symbol] * 500) + "x")
    assert is_emoji("\u200d".join([symbol] * 4))


def test_no_more_links_are_looked_for_than_a_message_has_characters(work: Work) -> None:
    parts("http://" * (MESSAGE_MAX_CHARS // 7))

    assert work.chars["searched for links"] <= MESSAGE_MAX_CHARS
