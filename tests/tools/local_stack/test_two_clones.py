"""Two clones on one machine, started at the same moment with no variable set, behind a proxy that answers nothing."""

from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
import requests

from tests.cruddur.test_net import black_hole

from .clone import Stack


@pytest.fixture(scope="module")
def clones(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[list[Stack], list[bytes]]]:
    with black_hole() as (port, heard):
        proxies = dict.fromkeys(("http_proxy", "HTTP_PROXY", "https_proxy", "all_proxy"), f"http://127.0.0.1:{port}")
        stacks = [Stack(tmp_path_factory.mktemp(name), proxies) for name in ("one", "other")]
        try:
            for stack in stacks:
                stack.launch()
            for stack in stacks:
                stack.wait()
            yield stacks, heard
        finally:
            for stack in stacks:
                stack.stop()


def test_each_has_ports_keys_and_cookies_of_its_own(clones: tuple[list[Stack], list[bytes]]) -> None:
    names = []
    for stack in clones[0]:
        with requests.Session() as session:
            session.trust_env = False
            assert session.get(f"{stack.url}/", timeout=30).status_code == 200
            names.append(set(session.cookies.keys()))

    assert names[0]
    assert not names[0] & names[1]
    envs = [(stack.local / "env").read_text() for stack in clones[0]]
    shared = set(envs[0].splitlines()) & set(envs[1].splitlines())
    assert shared == {"AWS_REGION=us-east-1"}


def test_commands_act_on_the_stack_of_their_clone(clones: tuple[list[Stack], list[bytes]]) -> None:
    for stack in clones[0]:
        lines = stack.command("manage.py", "cognito_list_users", "--no-color").communicate(timeout=60)[0].decode()
        assert "bayko" in lines
        health = requests.get(f"{stack.url}/readyz", timeout=30, proxies={"http": ""})
        assert health.status_code == 200


def test_nothing_went_through_the_proxy(clones: tuple[list[Stack], list[bytes]]) -> None:
    assert clones[1] == []


def test_a_clone_keeps_its_ports(clones: tuple[list[Stack], list[bytes]]) -> None:
    one = clones[0][0]
    before = (one.local / "ports").read_text()
    assert one.process
    one.process.terminate()
    one.process.wait(timeout=60)

    one.start()

    assert (one.local / "ports").read_text() == before
    assert f"PORT={urlsplit(one.url).port}" in before
