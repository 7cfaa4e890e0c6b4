"""Start the parts in order, restart them after code changes, and stop everything (`make run`)."""

import os
import shutil
import socket
import time
from pathlib import Path

from . import lock, processes, reloading
from .aws import AwsEmulator
from .disk import MEGABYTE, require_room
from .django_processes import DjangoProcesses, wait_for_web
from .environment import Configuration, make_local_directory, write_env
from .port_choice import PortChoice
from .ports import listener
from .postgres import PostgresServer
from .problem import Problem
from .setup_stamp import SetupStamp, fingerprint
from .stopping import Stopped, StopRequest
from .summary import summary
from .terminal import complain, say

# Three seconds in total: first the parts that use others, then the others.
SECONDS_TO_STOP_DJANGO = 1.4
SECONDS_TO_STOP_SERVERS = 1.2
# The emulator saves every two seconds; before that, a kill -9 could take back what setup did.
SECONDS_UNTIL_SETUP_IS_SAVED = 5.0
SECONDS_BETWEEN_DISK_CHECKS = 10.0
LITTLE_ROOM_MEGABYTES = 30
LOG_MEGABYTES = 5
SECONDS_TO_BLAME_A_CHANGE = 15.0
SERVER_ERROR = 500


class Supervisor:
    """One run of the stack. `run()` returns the exit code."""

    def __init__(self, root: Path, configuration: Configuration, request: StopRequest) -> None:
        self.root = root
        self.configuration = configuration
        self.request = request
        local = configuration.local
        self.pid_files = local / "run"
        self.django = DjangoProcesses(root, self.pid_files)
        self.stamp = SetupStamp(local / "setup-done")
        self.web_socket: socket.socket | None = None
        self.web: processes.Child | None = None
        self.consumer: processes.Child | None = None
        self.postgres: PostgresServer | None = None
        self.emulator: AwsEmulator | None = None
        self.ports = PortChoice(local, configuration.given_ports)
        self._pending_stamp: tuple[float, str] | None = None
        self._restarted = float("-inf")

    def _take_ports(self) -> None:
        """Choose the ports, and make the parts that listen on them."""
        chosen = self.ports.choose(self.configuration.needed_ports, say=say)
        configuration = self.configuration = self.configuration.at(chosen)
        local = configuration.local
        if not configuration.external_database:
            self.postgres = PostgresServer(
                local / "postgres",
                port=configuration.postgres_port,
                log=configuration.logs / "postgres.log",
                pid_file=self.pid_files / "postgres.pid",
            )
        if configuration.needs_emulator:
            self.emulator = AwsEmulator(
                local / "aws",
                port=configuration.aws_port,
                region=configuration.region,
                key=configuration.key,
                log=configuration.logs / "aws.log",
                pid_file=self.pid_files / "aws.pid",
            )

    def run(self) -> int:
        """Start, stay until told to stop or a part ends, stop. Raises Problem for what can be foreseen."""
        self._prepare_directory()
        with lock.held(self.configuration.local) as note_address:
            try:
                for name in processes.end_leftovers(self.pid_files):
                    say(f"Ended a {name.replace('-', ' ')} that an earlier start had left behind.")
                self._take_ports()
                note_address(self.configuration.app_url)
                self._start()
                self._stay()
            except Stopped as stopped:
                say(f"\nStopping ({stopped}) …")
            finally:
                self._stop()
        say("Stopped, all data are kept.")
        return 0

    def _prepare_directory(self) -> None:
        local = self.configuration.local
        make_local_directory(local)
        for directory in (self.configuration.logs, self.pid_files):
            directory.mkdir(exist_ok=True, mode=0o700)
        require_room(local, megabytes=LITTLE_ROOM_MEGABYTES)
        for log in self.configuration.logs.glob("*.log"):
            if log.stat().st_size > LOG_MEGABYTES * MEGABYTE:
                log.replace(log.with_suffix(".log.1"))

    def _start(self) -> None:
        began = time.monotonic()
        configuration = self.configuration
        os.environ.update(configuration.key.environment())  # for this process, which creates the pool
        self.web_socket = listener(configuration.web_port, variable="PORT")
        # Django takes longest to start and does not use the servers before the first request.
        if self.stamp.exists() and configuration.env_file.exists():
            say(f"Web server: starting on port {configuration.web_port} …")
            self.web = self.django.web(self.web_socket)
        self._start_servers()
        pool_id, moved = self._write_environment()
        ready = self.stamp.matches(self._fingerprint(pool_id))
        if moved or not ready:
            self._stop_django()
        if not ready:
            self._set_up(pool_id)
        self._start_django()
        assert self.web is not None  # noqa: S101 - just started
        status = wait_for_web(
            self.web, port=configuration.web_port, app_url=configuration.app_url, tick=self.request.check
        )
        if status >= SERVER_ERROR:
            say(f"The first page answers with an error ({status}), the lines above tell why.")
        for line in summary(self.root, configuration, seconds=time.monotonic() - began):
            say(line)

    def _start_servers(self) -> None:
        configuration = self.configuration
        for part, variable in (
            ("Postgres", configuration.external_database),
            ("DynamoDB", configuration.external_dynamodb),
            ("Cognito", configuration.external_cognito),
        ):
            if variable:
                say(f"{part}: not started, {variable} is set and names the one to use.")
        if self.emulator:
            parts = (("DynamoDB", configuration.external_dynamodb), ("Cognito", configuration.external_cognito))
            served = ", ".join(part for part, variable in parts if not variable)
            say(f"AWS emulator ({served}): starting on port {configuration.aws_port} …")
            self.emulator.launch()
        if self.postgres:
            say(f"Postgres: starting on port {configuration.postgres_port} …")
            self.postgres.launch(tick=self.request.check)
        if self.postgres:
            self.postgres.wait_until_ready(tick=self.request.check)
        if self.emulator:
            self.emulator.wait_until_ready(tick=self.request.check)

    def _write_environment(self) -> tuple[str, bool]:
        """Complete the user pool and `.local/env`. Returns the pool's id, "" for an external one, and if any is new."""
        configuration = self.configuration
        pool: dict[str, str] = {}
        if self.emulator and not configuration.external_cognito:
            # Imports boto3, which takes half a second in which the servers can start.
            from .cognito_pool import ensure_pool  # noqa: PLC0415

            say("Cognito: the user pool and its people …")
            pool = ensure_pool(
                endpoint_url=self.emulator.url,
                public_url=self.emulator.public_url,
                region=configuration.region,
                app_urls=[configuration.app_url],
            ).environment()
        values = configuration.variables(
            database_url=self.postgres.application_url if self.postgres else "",
            migration_url=self.postgres.url if self.postgres else "",
            aws_url=self.emulator.url if self.emulator else "",
            pool=pool,
        )
        return pool.get("COGNITO_USER_POOL_ID", ""), write_env(configuration.env_file, values)

    def _set_up(self, pool_id: str) -> None:
        configuration = self.configuration
        self.request.check()
        self.stamp.remove()
        say("Setting up: migrations, the table, the seed …")
        self.django.setup(seed=configuration.may_be_seeded, say=say, tick=self.request.check)
        if configuration.is_all_ours:
            self._pending_stamp = (time.monotonic() + SECONDS_UNTIL_SETUP_IS_SAVED, pool_id)

    def _fingerprint(self, pool_id: str) -> str:
        state = self.configuration.local / "aws" / "dynamodb.json"
        identity = self.postgres.identity if self.postgres else ""
        table = os.environ.get("DDB_MESSAGE_TABLE", "")
        return fingerprint(self.root, [identity, pool_id, self.configuration.region, table, str(state.exists())])

    def _start_django(self) -> None:
        assert self.web_socket is not None  # noqa: S101 - the first thing that is made
        if self.web is None:
            say(f"Web server: starting on port {self.configuration.web_port} …")
            self.web = self.django.web(self.web_socket)
        say("Stream consumer: starting …")
        self.consumer = self.django.stream_consumer()

    def _stay(self) -> None:
        """Wait until asked to stop. Raises Problem if a part exits by itself."""
        next_disk_check = time.monotonic()
        for changed in reloading.changes(self.root):
            self.request.check()
            if changed:
                say(f"{changed} changed: restarting the web server and the stream consumer …")
                self._stop_django()
                self._start_django()
                self._restarted = time.monotonic()
            self._check_parts()
            now = time.monotonic()
            if self._pending_stamp and now > self._pending_stamp[0]:
                self._write_stamp()
            if now > next_disk_check:
                next_disk_check = now + SECONDS_BETWEEN_DISK_CHECKS
                self._warn_of_a_full_disk()

    def _check_parts(self) -> None:
        for server in (self.postgres, self.emulator):
            if server and server.child and not server.child.is_running():
                tail = processes.last_lines(server.log)
                raise Problem(
                    f"The {server.child.name} ended by itself ({ending(server.child)}), its log {server.log} ends "
                    f"with the lines below: run `make run` again.\n{tail}"
                )
        for child in (self.web, self.consumer):
            if child and not child.is_running():
                if time.monotonic() > self._restarted + SECONDS_TO_BLAME_A_CHANGE:
                    raise Problem(
                        f"The {child.name} ended by itself ({ending(child)}), the lines above tell why: "
                        "run `make run` again."
                    )
                # The code may be half-edited: the next change may fix it.
                say(f"The {child.name} ended ({ending(child)}): it is restarted when a file changes.")
                self._stop_django()

    def _warn_of_a_full_disk(self) -> None:
        free = shutil.disk_usage(self.configuration.local).free // MEGABYTE
        if free < LITTLE_ROOM_MEGABYTES:
            say(f"The disk of {self.configuration.local} is full ({free} MB left): free some space, or data are lost.")

    def _write_stamp(self) -> None:
        if self._pending_stamp:
            self.stamp.write(self._fingerprint(self._pending_stamp[1]))
            self._pending_stamp = None

    def _stop_django(self) -> None:
        running = [child for child in (self.web, self.consumer) if child]
        processes.stop(running, patience=SECONDS_TO_STOP_DJANGO)
        self.web = self.consumer = None

    def _stop(self) -> None:
        if self.web_socket:
            self.web_socket.close()
        self._stop_django()
        children = [server.child for server in (self.emulator, self.postgres) if server and server.child]
        saved = all(child.is_running() for child in children)
        processes.stop(children, patience=SECONDS_TO_STOP_SERVERS)
        self.ports.release()
        if saved and all(child.popen.returncode == 0 for child in children):
            try:
                self._write_stamp()
            except OSError as error:
                complain(f"The state could not be written: {error}")


def ending(child: processes.Child) -> str:
    """Describe how a process ended."""
    code = child.popen.returncode
    return f"exit code {code}" if code >= 0 else f"signal {-code}"
