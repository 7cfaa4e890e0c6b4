"""Clones that hold data of an older release start this version with `make run` and keep everything.

`releases/` has a copy of each release's data, and `take.py` makes it. `scenario.py` says what people had done.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import psycopg
import pytest

from tests.tools.local_stack.clone import Stack
from tools.local_stack.environment import read_env

from . import scenario
from .release import Release, releases
from .visitor import Visitor, eventually

WITHOUT_PORT_IN_COOKIES = {"0.1.0"}
"""Releases whose cookies have names that this version does not read, so everybody signs in once more."""


@dataclass(frozen=True)
class Upgraded:
    """This version, running on the data of a release."""

    release: Release
    stack: Stack
    started: str
    """What `make run` said."""
    visitors: dict[str, Visitor] = field(default_factory=dict)

    def sign_in(self, handle: str) -> Visitor:
        """Return a person who is signed in. A network has a limit of sign-ins, so each person signs in once."""
        if handle not in self.visitors:
            self.visitors[handle] = Visitor(self.stack.url).sign_in(handle)
        return self.visitors[handle]

    def path(self, name: str) -> str:
        """Return the path of a conversation of the scenario."""
        return f"/messages/{self.group(name)}"

    def group(self, name: str) -> str:
        return str(self.release.seen["groups"][name])

    def checkpoints(self) -> list[tuple[str, str]]:
        """Return the stream and shard of each checkpoint."""
        with psycopg.connect(read_env(self.stack.local / "env")["MIGRATION_DATABASE_URL"]) as connection:
            return connection.execute("SELECT stream_arn, shard_id FROM messaging_streamcheckpoint").fetchall()


@pytest.fixture(scope="module", params=releases(), ids=lambda release: release.directory.name)
def upgraded(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Upgraded]:
    release: Release = request.param
    stack = Stack(tmp_path_factory.mktemp("clone"))
    stack.environment |= {"MESSAGE_REQUESTS": "true", "SESSION_DAYS": "3650"}
    release.lay(stack.local)
    try:
        stack.start()
        yield Upgraded(release, stack, " ".join(stack.output.read_text().split()))
    finally:
        stack.stop()


def test_an_old_session_goes_on(upgraded: Upgraded) -> None:
    old_port = urlsplit(upgraded.release.env["APP_URL"]).port
    mirek = Visitor(upgraded.stack.url)
    for name, value in upgraded.release.seen["cookies"].items():
        mirek.session.cookies.set(name.replace(f"-{old_port}", f"-{urlsplit(mirek.url).port}"), value)

    arrived = mirek.get("/messages").url

    if upgraded.release.directory.name in WITHOUT_PORT_IN_COOKIES:
        assert urlsplit(arrived).path == "/"
    else:
        assert urlsplit(arrived).path == "/messages"
        assert mirek.uuid() == upgraded.release.seen["uuids"]["mirek"]


def test_setup_finds_the_seed_and_the_people_in_place(upgraded: Upgraded) -> None:
    assert "0 people created" in upgraded.started
    assert "0 conversations with 0 messages written" in upgraded.started
    assert ", 0 mismatches" in upgraded.started
    assert "the pool is another one" not in upgraded.started


def test_no_migration_is_left(upgraded: Upgraded) -> None:
    check = upgraded.stack.command("manage.py", "migrate", "--check")

    said = check.communicate(timeout=60)[0].decode()

    assert check.returncode == 0, said


@pytest.mark.parametrize("handle", ["mirek", "londo", scenario.NEWCOMER])
def test_people_sign_in_as_who_they_were(upgraded: Upgraded, handle: str) -> None:
    assert upgraded.sign_in(handle).uuid() == upgraded.release.seen["uuids"][handle]


def test_profiles_are_kept(upgraded: Upgraded) -> None:
    signe = upgraded.sign_in("signe")

    assert scenario.BIO in signe.text("/@mirek")
    assert signe.get("/@tavita").status_code == 404


@pytest.mark.parametrize("handle", ["mirek", "andrewbrown"])
def test_lists_have_the_same_conversations_with_the_same_unread_counts(upgraded: Upgraded, handle: str) -> None:
    before = upgraded.release.seen["unread"][handle]

    now = upgraded.sign_in(handle).unread()

    assert list(now.items()) == list(before.items())


def test_a_conversation_has_its_messages(upgraded: Upgraded) -> None:
    page = upgraded.sign_in("signe").text(upgraded.path("ladder"))

    # The list before the messages has a preview of the last one.
    text = page[page.index(scenario.QUESTION) :]
    shown = [scenario.QUESTION, scenario.ANSWER, scenario.EDITED, "This message was deleted", scenario.LAST]
    places = [text.find(each) for each in shown]
    assert -1 not in places
    assert places == sorted(places)
    assert f"{scenario.EDITED} Edited" in text
    assert scenario.UNEDITED not in text
    assert scenario.DELETED not in text


def test_archived_muted_and_blocked_conversations_stay_so(upgraded: Upgraded) -> None:
    mirek, celeste = upgraded.sign_in("mirek"), upgraded.sign_in("celeste")

    assert upgraded.group("archived") in mirek.rows("/messages/archived")
    assert scenario.MUTED in mirek.rows()[upgraded.group("muted")]
    assert "Muted" in mirek.rows()[upgraded.group("muted")]
    assert "@celeste" in mirek.text("/settings")
    assert celeste.try_to_send(upgraded.path("blocked"), "Cakes!").status_code == 403


def test_closed_people_get_no_message_from_strangers(upgraded: Upgraded) -> None:
    assert upgraded.sign_in("zofia").try_to_send("/messages/new/kwame", "Hello?").status_code == 403


def test_a_deleted_account_stays_deleted(upgraded: Upgraded) -> None:
    assert "Deleted user" in upgraded.sign_in("leonor").rows()[upgraded.group("farewell")]


def test_a_waiting_request_can_be_accepted(upgraded: Upgraded) -> None:
    zofia, group = upgraded.sign_in("zofia"), upgraded.group("request")
    assert scenario.REQUEST in zofia.rows("/messages/requests")[group]

    scenario.accept(zofia, upgraded.path("request"))

    assert eventually(lambda: group in zofia.rows())


def test_reports_decisions_and_the_audit_log_are_in_the_admin(upgraded: Upgraded) -> None:
    londo = upgraded.sign_in("londo")

    assert "@minjun" in londo.text("/admin/moderation/report/?state=open")
    assert "@arjun" in londo.text("/admin/moderation/report/?state=decided")
    assert "report.claim" in upgraded.sign_in("andrewbrown").text("/admin/moderation/auditentry/")
    assert scenario.WARNING in upgraded.sign_in("arjun").text("/messages")


def test_an_administrator_finds_everybody(upgraded: Upgraded) -> None:
    people = upgraded.sign_in("andrewbrown").text("/admin/users/user/?q=petra")

    assert scenario.NEWCOMER in people


def test_the_stream_goes_on_from_its_checkpoint(upgraded: Upgraded) -> None:
    signe, petra = upgraded.sign_in("signe"), upgraded.sign_in(scenario.NEWCOMER)
    group, path = upgraded.group("newcomer"), upgraded.path("newcomer")

    petra.send(path, "Sent after the upgrade.")

    assert eventually(lambda: "Sent after the upgrade." in signe.rows()[group])
    assert next(iter(signe.rows())) == group
    assert "Sent after the upgrade." in signe.text(path)
    assert "projecting every conversation" not in upgraded.stack.output.read_text()
    ((stream, shard),) = upgraded.checkpoints()
    assert f"'{stream}', '{shard}'" in upgraded.release.sql.read_text()


def test_table_and_lists_agree(upgraded: Upgraded) -> None:
    said = upgraded.stack.command("manage.py", "ddb_reconcile", "--no-color").communicate(timeout=60)[0].decode()

    assert "all is well" in said
