"""The emulator's data are gone and the people are not: `make run` says so, and everybody is who they were."""

import shutil
from collections.abc import Iterator

import pytest
import requests

from tests.users.test_emulator_sign_in import submit

from .clone import Stack


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    stack = Stack(tmp_path_factory.mktemp("clone"))
    stack.start()
    yield stack
    stack.stop()


def people(stack: Stack) -> dict[str, tuple[str, str]]:
    """Uuid and Cognito user by handle."""
    code = (
        "from users.models import User\n"
        "for each in User.objects.order_by('handle'): print(each.handle, each.uuid, each.cognito_user_id)"
    )
    found = [line.split() for line in stack.manage(code).splitlines()]
    return {handle: (uuid, sub) for handle, uuid, sub in found}


def signed_in_as(stack: Stack, handle: str) -> str:
    """Where the link to the own profile leads after signing in, as a person does it."""
    with requests.Session() as browser:
        front = browser.get(f"{stack.url}/", timeout=30)
        page = browser.get(submit(browser, front).headers["Location"], timeout=30)
        back = submit(browser, page, username=f"{handle}@cruddur.example", password="Cruddur123!")
        messages = browser.get(back.headers["Location"], timeout=30)
        assert messages.url == f"{stack.url}/messages", messages.url
        return browser.get(f"{stack.url}/settings", timeout=30).text


def test_people_are_who_they_were_and_lists_agree(stack: Stack) -> None:
    before = people(stack)
    assert stack.process
    stack.process.terminate()
    stack.process.wait(timeout=60)
    shutil.rmtree(stack.local / "aws")

    stack.start()

    said = stack.output.read_text()
    assert "the pool is another one: it has no longer the users that" in " ".join(said.split())
    assert "0 mismatches" in " ".join(said.split())
    after = people(stack)
    assert {handle: uuid for handle, (uuid, _) in after.items()} == {
        handle: uuid for handle, (uuid, _) in before.items()
    }
    assert not {sub for _, sub in after.values()} & {sub for _, sub in before.values()}
    assert "bayko" in signed_in_as(stack, "bayko")
    assert people(stack) == after
    reconciled = stack.command("manage.py", "ddb_reconcile", "--no-color").communicate(timeout=60)[0].decode()
    assert stack.process.poll() is None
    assert "all is well" in reconciled, reconciled
