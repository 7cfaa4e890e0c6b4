import os
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tools.local_stack import postgres_home
from tools.local_stack.ports import LOOPBACK
from tools.local_stack.postgres import PostgresServer, processes_in
from tools.local_stack.problem import Problem
from tools.local_stack.processes import Account, wait_until


@pytest.fixture
def server(tmp_path: Path) -> Iterator[PostgresServer]:
    server = PostgresServer(tmp_path / "postgres")
    server.start()
    yield server
    server.remove()


def test_it_survives_being_killed_and_leaves_nothing_when_stopped(server: PostgresServer) -> None:
    with psycopg.connect(server.url) as connection:
        connection.execute("CREATE TABLE notes (text text)")
        connection.execute("INSERT INTO notes VALUES ('kept')")
    assert server.child
    os.kill(server.child.popen.pid, signal.SIGKILL)
    server.child.popen.wait()

    server.start()

    with psycopg.connect(server.url) as connection:
        assert connection.execute("SELECT text FROM notes").fetchall() == [("kept",)]
    server.stop()
    assert processes_in(server.data) == []
    assert not (server.data / "postmaster.pid").exists()


def test_it_starts_beside_what_an_interrupted_first_start_left(tmp_path: Path) -> None:
    (tmp_path / "postgres" / "data.new-interrupted").mkdir(parents=True)
    (tmp_path / "postgres" / "data.new-interrupted" / "PG_VERSION").write_text("18\n")
    server = PostgresServer(tmp_path / "postgres")

    server.start()

    with psycopg.connect(server.url) as connection:
        assert connection.execute("SELECT current_user, current_database()").fetchone() == ("cruddur", "cruddur")
    server.remove()
    assert not (tmp_path / "postgres").exists()
    assert not server.data.exists()


def test_postgres_listens_only_on_loopback_with_a_password(server: PostgresServer) -> None:
    with psycopg.connect(server.url) as connection:
        row = connection.execute(
            "SELECT current_setting('listen_addresses'), current_setting('unix_socket_directories')"
        )
        assert row.fetchone() == ("127.0.0.1", "")
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(f"postgres://cruddur:wrong@127.0.0.1:{server.port}/cruddur")


def test_it_names_the_way_out_when_the_data_are_of_another_version(server: PostgresServer) -> None:
    server.stop()
    (server.data / "PG_VERSION").write_text("17\n")

    with pytest.raises(Problem, match="written by Postgres 17, this is 18: run `make clean`"):
        server.start()


def test_it_knows_where_another_account_may_not_enter(tmp_path: Path) -> None:
    stranger = Account(name="stranger", uid=54321, gid=54321)
    tmp_path.chmod(0o700)

    assert not postgres_home.can_enter(tmp_path, stranger)
    assert postgres_home.can_enter(Path("/"), stranger)


def test_postgres_ends_with_the_process_that_started_it(tmp_path: Path) -> None:
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        server = PostgresServer(tmp_path / "postgres")
        server.start()
        os.write(writer, str(server.data).encode())
        signal.pause()
    data = Path(os.read(reader, 4096).decode())
    assert processes_in(data)

    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)

    assert wait_until(lambda: processes_in(data) == [], seconds=60)
    postgres_home.remove(tmp_path / "postgres")


@pytest.mark.parametrize("method", ["GET", "POST", "OPTIONS", "PUT"])
def test_postgres_ignores_requests_of_browsers(server: PostgresServer, method: str) -> None:
    """The first four bytes of any HTTP request are the length of a packet that Postgres takes for too long."""
    with socket.create_connection((LOOPBACK, server.port), timeout=60) as connection:
        startup = b"\x00\x00\x00\x1a\x00\x03\x00\x00user\x00cruddur\x00\x00"
        connection.sendall(f"{method} / HTTP/1.1\r\nHost: localhost\r\n\r\n".encode() + startup)

        assert connection.recv(1000) == b""
