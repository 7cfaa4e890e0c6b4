"""The emulator's data are gone and the people are not: `make run` says so, and everybody is who they were."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests

from tests.cognito_page import submit
from tools.local_stack.postgres import PostgresServer

from .clone import Stack


def delete_the_emulators_data(stack: Stack) -> None:
    shutil.rmtree(stack.local / "aws")


def make_clean(stack: Stack) -> None:
    cleaning = stack.command("-m", "tools.local_stack", "clean")
    output = cleaning.communicate(timeout=60)[0].decode()
    assert cleaning.returncode == 0, output
    assert not stack.local.exists()


@pytest.fixture
def stack_with_its_own_postgres(tmp_path: Path) -> Iterator[Stack]:
    stack = Stack(tmp_path)
    yield stack
    stack.stop()


@pytest.fixture
def stack_with_a_database_in_dotenv(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Run a stack whose `.env` names the developer's own Postgres, which `make clean` does not reach."""
    postgres = PostgresServer(tmp_path_factory.mktemp("own") / "postgres")
    postgres.start()
    stack = Stack(tmp_path)
    (stack.root / ".env").write_text(f"DATABASE_URL={postgres.url}\n")
    yield stack
    stack.stop()
    postgres.remove()


def people(stack: Stack) -> dict[str, tuple[str, str]]:
    """Return the uuid and Cognito user by handle."""
    code = (
        "from users.models import User\n"
        "for each in User.objects.order_by('handle'): print(each.handle, each.uuid, each.cognito_user_id)"
    )
    found = [line.split() for line in stack.manage(code).splitlines()]
    return {handle: (uuid, sub) for handle, uuid, sub in found}


def signed_in_as(stack: Stack, handle: str) -> str:
    """Sign in as a person does; return where the link to their own profile leads."""
    with requests.Session() as browser:
        front = browser.get(f"{stack.url}/", timeout=30)
        page = browser.get(submit(browser, front).headers["Location"], timeout=30)
        back = submit(browser, page, username=f"{handle}@cruddur.example", password="Cruddur123!")
        messages = browser.get(back.headers["Location"], timeout=30)
        assert messages.url == f"{stack.url}/messages", messages.url
        return browser.get(f"{stack.url}/settings", timeout=30).text


@pytest.mark.parametrize(
    ("clone", "lose_the_pool"),
    [
        ("stack_with_its_own_postgres", delete_the_emulators_data),
        ("stack_with_a_database_in_dotenv", make_clean),
    ],
    ids=["emulator's data deleted", "own DATABASE_URL and make clean"],
)
def test_people_are_who_they_were_and_lists_agree(
    request: pytest.FixtureRequest, clone: str, lose_the_pool: Callable[[Stack], None]
) -> None:
    stack: Stack = request.getfixturevalue(clone)
    stack.start()
    before = people(stack)
    assert "bayko" in before
    assert stack.process
    stack.process.terminate()
    stack.process.wait(timeout=60)
    lose_the_pool(stack)

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
