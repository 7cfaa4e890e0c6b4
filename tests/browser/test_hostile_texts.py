"""Naughty strings and script vectors wherever a text is shown, in a real browser: nothing runs, nothing breaks out."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from itertools import islice, pairwise

import pytest
from django.utils import timezone
from playwright.sync_api import Dialog, Page

from cruddur.text import is_blank, normalise_long_text
from messaging.domain.entities import pair_group_uuid
from messaging.domain.text import MESSAGE_MAX_CHARS
from messaging.dynamodb.table import MessageTable
from moderation import reports
from tests.corpus import naughty_strings, script_vectors, together
from tests.messaging.talk import write_all
from users.models import User

from .conftest import Enter

pytestmark = pytest.mark.browser

NAME_CHARS, BIO_CHARS = 64, 160
OVERFLOW = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"
# Marks that only a script of ours sets; a vector that ran would call one of these.
TRAPS = """
globalThis.ran = [];
for (const name of ["alert", "prompt", "confirm", "print"]) {
  globalThis[name] = (...given) => { globalThis.ran.push(`${name}(${given})`); };
}
"""
SVG_OR_SCRIPT = ", ".join(
    f"main {each}"
    for each in (
        "img:not([src^='/static/'])",
        "svg[onload]",
        "iframe",
        "object",
        "embed",
        "script:not([src^='/static/'])",
    )
)


def texts() -> list[str]:
    """Return the vectors and strings of the corpora, as many in a message as fit."""
    every = [text.replace("\x00", "") for text in (*script_vectors(), *naughty_strings())]
    found = (normalise_long_text(text).strip() for text in together(every, chars=MESSAGE_MAX_CHARS))
    return [text[:MESSAGE_MAX_CHARS] for text in found if not is_blank(text)]


def short(texts: list[str], chars: int) -> Iterator[str]:
    return (text for each in texts if (text := each.replace("\x00", "").strip()[:chars]) and not is_blank(text))


def watched(page: Page) -> list[str]:
    """Record the dialogs that open; any other effect of a script leaves its mark in the page."""
    page.context.add_init_script(TRAPS)
    dialogs: list[str] = []

    def note(dialog: Dialog) -> None:
        dialogs.append(dialog.message)
        dialog.dismiss()

    page.on("dialog", note)
    return dialogs


def check(page: Page) -> None:
    assert page.evaluate("() => globalThis.ran") == []
    assert page.locator(SVG_OR_SCRIPT).count() == 0
    assert page.evaluate(OVERFLOW) <= 0, page.url


def test_hostile_text_neither_runs_nor_breaks_a_page(enter: Enter, table: MessageTable) -> None:
    page = enter("andrewbrown", "/shortcuts", viewport={"width": 390, "height": 844})
    dialogs = watched(page)
    andrew = User.objects.get(handle="andrewbrown")
    lines, begin = texts(), timezone.now() - timedelta(hours=2)
    pairs = 0
    # Conversations with people whose names and bios are vectors, each with a share of the texts, all on few pages.
    names = islice(short([*naughty_strings(), *script_vectors()[::40]], NAME_CHARS), 0, None, 12)
    people = []
    for number, name in enumerate(islice(names, 25)):
        bio = next(islice(short(script_vectors(), BIO_CHARS), number * 50, None), "")
        people.append(User.objects.create_user(handle=f"vector{number}", display_name=name, bio=bio))
    share = -(-len(lines) // len(people))
    for number, person in enumerate(people):
        mine = lines[number * share : (number + 1) * share]
        if mine:
            write_all(
                table,
                [(person.uuid, text, begin + timedelta(seconds=100 * number + n)) for n, text in enumerate(mine)],
                members=(andrew.uuid, person.uuid),
            )
            pairs += 1
    page.goto("/messages")
    check(page)
    for person in people:
        page.goto(f"/messages/{pair_group_uuid(andrew.uuid, person.uuid)}?newest")
        check(page)
    for address in ("/@vector0", "/@vector7", "/messages/new?q=vector", "/settings"):
        page.goto(address)
        check(page)
    for query in islice(script_vectors(), 0, None, 900):
        page.goto("/messages/new")
        page.locator("main input[name=q]").fill(query)
        page.locator("main input[name=q]").press("Enter")
        page.wait_for_load_state()
        check(page)
    assert dialogs == []
    assert pairs == len(people)


def test_hostile_report_neither_runs_nor_breaks_an_admin_page(enter: Enter, table: MessageTable) -> None:
    names = list(islice(short(script_vectors(), NAME_CHARS), 0, None, 1300))
    people = [User.objects.create_user(handle=f"told{number}", display_name=name) for number, name in enumerate(names)]
    mod = User.objects.create_user(handle="mod", display_name=names[0], is_staff=True, is_superuser=True)
    vectors = islice(short(script_vectors(), MESSAGE_MAX_CHARS), 13, None, 200)
    for person, teller in pairwise(people):
        said = list(islice(vectors, 4))
        moment = timezone.now() - timedelta(minutes=5)
        write_all(
            table,
            [(person.uuid, text, moment + timedelta(seconds=n)) for n, text in enumerate(said)],
            members=(person.uuid, teller.uuid),
        )
        reports.report(
            reporter_uuid=teller.uuid,
            group_uuid=pair_group_uuid(person.uuid, teller.uuid),
            created_at=table.messages_before(pair_group_uuid(person.uuid, teller.uuid), None, limit=1)[-1].created_at,
            reason="spam",
            note="\n".join(said)[:500],
            now=timezone.now(),
        )
    page = enter("mod", "/admin/moderation/report/", viewport={"width": 390, "height": 844})
    dialogs = watched(page)
    page.reload()
    check(page)
    for href in page.locator("main tbody th a").evaluate_all("all => all.map((each) => each.href)"):
        page.goto(href)
        with page.expect_navigation():
            page.get_by_role("button", name="Claim this report").click()
        check(page)
        with page.expect_navigation():
            page.get_by_role("link", name="Read the conversation around it").click()
        check(page)
    page.goto("/admin/conversation/")
    page.get_by_label("Handle", exact=True).fill("told0")
    page.get_by_label("The other's handle").fill("told1")
    page.get_by_label("Reason").fill("\n".join(islice(short(script_vectors(), 100), 5, 500, 120)))
    with page.expect_navigation():
        page.get_by_role("button", name="Record and read").click()
    check(page)
    for address in ("/admin/moderation/auditentry/", "/admin/users/user/", f"/admin/users/user/{mod.pk}/change/"):
        page.goto(address)
        check(page)
    assert dialogs == []
