"""The copies of old data: where they are, and how one becomes the state of a clone."""

from __future__ import annotations

import json
import tarfile
import time
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import psycopg

from tools.local_stack.environment import make_local_directory
from tools.local_stack.postgres import PostgresServer

ROOT = Path(__file__).resolve().parents[2]
RELEASES = Path(__file__).with_name("releases")
MOVE_TIMES = """
DO $$
DECLARE each record;
BEGIN
  FOR each IN
    SELECT table_name, column_name FROM information_schema.columns
    WHERE table_schema = 'public' AND data_type = 'timestamp with time zone'
  LOOP
    EXECUTE format('UPDATE public.%%I SET %%I = %%I + make_interval(secs => %s)',
      each.table_name, each.column_name, each.column_name);
  END LOOP;
END $$
"""


@dataclass(frozen=True)
class Release:
    """The data of one release: a dump of Postgres, the rest of `.local` in an archive, and what people saw."""

    directory: Path

    @property
    def sql(self) -> Path:
        return self.directory / "postgres.sql"

    @property
    def archive(self) -> Path:
        return self.directory / "local.tar.gz"

    @property
    def seen_file(self) -> Path:
        return self.directory / "seen.json"

    @cached_property
    def seen(self) -> dict[str, Any]:
        """What `scenario.play` returned, and `taken_at` in seconds since 1970."""
        found: dict[str, Any] = json.loads(self.seen_file.read_text())
        return found

    @property
    def env(self) -> dict[str, str]:
        """The variables of the release's `.local/env`."""
        with tarfile.open(self.archive) as archive:
            content = archive.extractfile("env")
            assert content
            return dict(line.split("=", 1) for line in content.read().decode().splitlines())

    def lay(self, local: Path) -> None:
        """Make the state directory of a clone that ran the release until a moment ago."""
        make_local_directory(local)
        with tarfile.open(self.archive) as archive:
            archive.extractall(local, filter="data")
        # This version's sources may be those of the release: it has to set up all the same.
        (local / "setup-done").write_text("by the release\n")
        server = PostgresServer(local / "postgres")
        server.start()
        try:
            with psycopg.connect(server.url) as connection:
                connection.execute(self.sql.read_bytes())
                self._move_times(connection)
            for file in server.data.glob("*.password"):
                kept = local / "passwords" / file.name
                file.write_bytes(kept.read_bytes()) if kept.exists() else file.unlink()
        finally:
            server.stop()

    def _move_times(self, connection: psycopg.Connection[Any]) -> None:
        """Move every time in the database on: checkpoints and sessions expire, and the copy gets older every day."""
        connection.execute("SET session_replication_role = replica")  # without the triggers that refuse updates
        connection.execute((MOVE_TIMES % int(time.time() - self.seen["taken_at"])).encode())


def releases() -> list[Release]:
    """Return every release that there is a copy of."""
    return [Release(directory) for directory in sorted(RELEASES.iterdir())]
