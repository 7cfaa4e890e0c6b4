"""Choose the ports of a clone's stack: those in variables, else the clone's previous ones, else free ones.

They are kept in `.local/ports`. Clones find different ports even if they start simultaneously: while it runs, a stack
reserves its ports by binding the UDP ports with the same numbers, which the parts do not use.
"""

import contextlib
import socket
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from .environment import DEFAULT_PORTS, read_env, write_env
from .ports import BROWSERS_REFUSE, LOOPBACK, free_port, listener
from .problem import Problem

FILE = "ports"
AMONG = {"DYNAMODB_PORT": BROWSERS_REFUSE}
"""Restricted ranges: DynamoDB Local has no guard, so its port must be one that browsers block."""


class PortChoice:
    """The ports of one state directory. `given` are those set by variables, which are used unchanged."""

    def __init__(self, local: Path, given: Mapping[str, int]) -> None:
        self.file = local / FILE
        self.given = given
        self._claims: list[socket.socket] = []

    def choose(self, names: Iterable[str], *, say: Callable[[str], None]) -> dict[str, int]:
        """Return a port for each name, claimed until `release`, and keep them. `say` is told of those that moved.

        Raises Problem when there is no free port. A given one is not tried here: whoever listens on it says if it is
        taken.
        """
        kept = {name: int(port) for name, port in read_env(self.file).items() if port.isdecimal()}
        chosen = dict(self.given)
        for port in self.given.values():
            self._claim(port)
        for name in names:
            if name in chosen:
                continue
            among = AMONG.get(name)
            wanted = kept.get(name, DEFAULT_PORTS[name])
            if among and wanted not in among:  # kept by a version that took it for one that browsers refuse
                wanted = DEFAULT_PORTS[name]
            is_free = wanted not in chosen.values() and self._take(wanted)
            chosen[name] = wanted if is_free else self._another(among)
            if chosen[name] != wanted:
                say(f"Port {wanted} is in use by another program: this clone has {chosen[name]} as {name} from now on.")
        found = {name: port for name, port in chosen.items() if name not in self.given}
        write_env(self.file, {name: str(port) for name, port in {**kept, **found}.items()})
        return {name: chosen[name] for name in names}

    def release(self) -> None:
        """Give the claims up."""
        while self._claims:
            self._claims.pop().close()

    def _another(self, among: Sequence[int] | None) -> int:
        for _ in range(100):
            port = free_port(among=among)
            if self._take(port):
                return port
        raise Problem("There is no free port on this machine: end the programs that listen on them.")

    def _take(self, port: int) -> bool:
        """Claim a port that nobody listens on or has claimed. Returns whether that could be done."""
        if not self._claim(port):
            return False
        try:
            listener(port, variable="").close()
        except Problem:
            self._claims.pop().close()
            return False
        return True

    def _claim(self, port: int) -> bool:
        claim = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        with contextlib.suppress(OSError):
            claim.bind((LOOPBACK, port))
            self._claims.append(claim)
            return True
        claim.close()
        return False
