import socket
from pathlib import Path

import pytest

from tools.local_stack import ports
from tools.local_stack.environment import DEFAULT_PORTS, read_configuration
from tools.local_stack.port_choice import PortChoice
from tools.local_stack.ports import BROWSERS_REFUSE, below_outgoing, free_port, listener

NAMES = ("PORT", "POSTGRES_PORT", "AWS_PORT")


def choose(local: Path, **given: int) -> tuple[PortChoice, dict[str, int], list[str]]:
    local.mkdir(exist_ok=True)
    choice, said = PortChoice(local, given), list[str]()
    return choice, choice.choose(NAMES, say=said.append), said


@pytest.fixture(autouse=True)
def defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    """Use ports that are free here as the defaults."""
    for name in DEFAULT_PORTS:
        monkeypatch.setitem(DEFAULT_PORTS, name, free_port())


def test_defaults_are_below_the_ports_of_outgoing_connections() -> None:
    from importlib import reload  # noqa: PLC0415

    from tools.local_stack import environment  # noqa: PLC0415

    assert max(reload(environment).DEFAULT_PORTS.values()) < ports.OUTGOING_FROM
    assert environment.DEFAULT_PORTS["DYNAMODB_PORT"] in BROWSERS_REFUSE


def test_first_start_takes_the_defaults_and_says_nothing(tmp_path: Path) -> None:
    choice, chosen, said = choose(tmp_path)

    assert (chosen, said) == ({name: DEFAULT_PORTS[name] for name in NAMES}, [])
    choice.release()


def test_port_that_is_taken_is_another_one_that_is_kept(tmp_path: Path) -> None:
    with listener(DEFAULT_PORTS["PORT"], variable="PORT"):
        choice, first, said = choose(tmp_path)
    choice.release()

    again, second, said_then = choose(tmp_path)

    again.release()
    assert first["PORT"] != DEFAULT_PORTS["PORT"]
    assert second == first
    assert f"Port {DEFAULT_PORTS['PORT']} is in use by another program: this clone has {first['PORT']}" in said[0]
    assert said_then == []


def test_kept_port_that_browsers_reach_is_replaced_for_dynamodb_local(tmp_path: Path) -> None:
    """An earlier version chose 4190 and 6679, too."""
    (tmp_path / "ports").write_text("DYNAMODB_PORT=4190\n")
    choice = PortChoice(tmp_path, {})

    chosen = choice.choose(["DYNAMODB_PORT"], say=lambda sentence: None)

    choice.release()
    assert 4190 not in BROWSERS_REFUSE
    assert chosen["DYNAMODB_PORT"] == DEFAULT_PORTS["DYNAMODB_PORT"]


def test_clones_that_start_at_once_choose_different_ports(tmp_path: Path) -> None:
    """None of them listens yet: each has only claimed its ports."""
    clones = [choose(tmp_path / name) for name in "abc"]

    chosen = [port for _, each, _ in clones for port in each.values()]
    for choice, _, _ in clones:
        choice.release()
    assert len(set(chosen)) == len(chosen) == 9


def test_given_port_is_taken_as_it_is_and_not_kept(tmp_path: Path) -> None:
    with listener(0, variable="PORT") as sock:
        port = sock.getsockname()[1]
        choice, chosen, said = choose(tmp_path, PORT=port)
    choice.release()
    assert (chosen["PORT"], said) == (port, [])

    again, later, _ = choose(tmp_path)

    again.release()
    assert later["PORT"] == DEFAULT_PORTS["PORT"]


def test_origin_follows_the_port_unless_it_is_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*NAMES, "APP_URL"):
        monkeypatch.delenv(name, raising=False)
    for name in ("DATABASE_URL", "OIDC_RP_CLIENT_ID", "COGNITO_USER_POOL_ID", "CRUDDUR_ENV"):
        monkeypatch.delenv(name, raising=False)
    assert read_configuration(tmp_path).at({"PORT": 8123}).app_url == "http://localhost:8123"

    monkeypatch.setenv("APP_URL", "http://cruddur.localhost")

    assert read_configuration(tmp_path).at({"PORT": 8123}).app_url == "http://cruddur.localhost"


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("32768\t60999\n", range(20_000, 32_768)),
        ("1024\t65535\n", range(20_000, 32_768)),
        ("15000\t60999\n", range(10_000, 15_000)),
        ("49152\t65535\n", range(20_000, 32_768)),
        ("nonsense", range(20_000, 32_768)),
    ],
)
def test_free_ports_are_below_where_this_kernel_says_that_connections_begin(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: str, expected: range
) -> None:
    file = tmp_path / "ip_local_port_range"
    file.write_text(said)
    monkeypatch.setattr(ports, "OUTGOING", file)

    assert below_outgoing() == expected
    assert free_port() in expected
    with listener(0, variable="PORT") as sock:
        assert sock.getsockname()[1] in expected


def test_ports_of_this_test_run_are_below_outgoing_connections() -> None:
    import os  # noqa: PLC0415
    from urllib.parse import urlsplit  # noqa: PLC0415

    first = int(ports.OUTGOING.read_text().split()[0]) if ports.OUTGOING.exists() else ports.OUTGOING_FROM
    for name in ("APP_URL", "AWS_ENDPOINT_URL", "DATABASE_URL"):
        port = urlsplit(os.environ[name]).port
        assert port is not None
        assert port < first or first < 3_000


def test_claim_leaves_the_port_to_the_part_that_listens(tmp_path: Path) -> None:
    choice, chosen, _ = choose(tmp_path)

    for port in chosen.values():
        with listener(port, variable="PORT") as sock:
            assert sock.type == socket.SOCK_STREAM
    choice.release()
