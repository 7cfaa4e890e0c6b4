"""The key that signs requests to the emulator. It belongs to an IAM user that the emulator creates at its start."""

import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from cruddur.net import KEY_ID_VARIABLE, SECRET_VARIABLE

from .disk import write_atomically


@dataclass(frozen=True)
class LocalKey:
    """A key id and its secret; generated unless given."""

    key_id: str = field(default_factory=lambda: f"AKIA{secrets.token_hex(8).upper()}")
    secret: str = field(default_factory=lambda: secrets.token_hex(20), repr=False)

    def environment(self) -> dict[str, str]:
        """Return the variables that cruddur/net.py reads."""
        return {KEY_ID_VARIABLE: self.key_id, SECRET_VARIABLE: self.secret}


def key_from(*sources: Mapping[str, str]) -> LocalKey:
    """Return the key of the first source that has both variables, or a new one."""
    for source in sources:
        if source.get(KEY_ID_VARIABLE) and source.get(SECRET_VARIABLE):
            return LocalKey(source[KEY_ID_VARIABLE], source[SECRET_VARIABLE])
    return LocalKey()


def kept_key(file: Path) -> LocalKey:
    """Return the key of a file; make the file, readable to its owner alone, with the environment's or a new key."""
    if (key := read_key(file)) is None:
        key = key_from(os.environ)
        write_atomically(file, "".join(f"{name}={value}\n" for name, value in key.environment().items()).encode())
    return key


def read_key(file: Path) -> LocalKey | None:
    """Return the key that a file holds; None while there is none."""
    try:
        lines = file.read_text().splitlines()
    except FileNotFoundError:
        return None
    return key_from(dict(line.split("=", 1) for line in lines if "=" in line))
