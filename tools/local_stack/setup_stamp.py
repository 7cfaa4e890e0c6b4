"""Decide whether `manage.py setup` must run: compare a hash of its inputs with that of the last success."""

import hashlib
from collections.abc import Iterable
from pathlib import Path

from .disk import write_atomically

SOURCES = (
    "*/migrations/*.py",
    "*/management/*.py",
    "*/management/commands/*.py",
    "messaging/seed/*",
    "messaging/*.py",
    "messaging/*/*.py",
    "users/*.py",
    "users/*/*.py",
    "cruddur/postgres/*.py",
    "requirements.txt",
)


def fingerprint(root: Path, identities: Iterable[str]) -> str:
    """Return a hash of the sources and of the identities of the databases that were set up."""
    digest = hashlib.sha256()
    for file in sorted({file for pattern in SOURCES for file in root.glob(pattern) if file.is_file()}):
        digest.update(f"{file.relative_to(root)}\0".encode())
        digest.update(hashlib.sha256(file.read_bytes()).digest())
    for identity in identities:
        digest.update(f"{identity}\0".encode())
    return digest.hexdigest()


class SetupStamp:
    """The file that holds the fingerprint."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def exists(self) -> bool:
        return self.file.exists()

    def matches(self, value: str) -> bool:
        try:
            return self.file.read_text().strip() == value
        except OSError:
            return False

    def write(self, value: str) -> None:
        write_atomically(self.file, f"{value}\n".encode())

    def remove(self) -> None:
        self.file.unlink(missing_ok=True)
