"""The key that requests to the emulator are signed with: of an IAM user that the emulator makes at its start."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field

from cruddur.loopback import KEY_ID_VARIABLE, SECRET_VARIABLE


@dataclass(frozen=True)
class LocalKey:
    """A key id and its secret; new ones unless they are given."""

    key_id: str = field(default_factory=lambda: f"AKIA{secrets.token_hex(8).upper()}")
    secret: str = field(default_factory=lambda: secrets.token_hex(20), repr=False)

    def environment(self) -> dict[str, str]:
        """Return the variables that cruddur/loopback.py reads."""
        return {KEY_ID_VARIABLE: self.key_id, SECRET_VARIABLE: self.secret}


def key_from(*sources: Mapping[str, str]) -> LocalKey:
    """Return the key of the first source that has both variables, or a new one."""
    for source in sources:
        if source.get(KEY_ID_VARIABLE) and source.get(SECRET_VARIABLE):
            return LocalKey(source[KEY_ID_VARIABLE], source[SECRET_VARIABLE])
    return LocalKey()
