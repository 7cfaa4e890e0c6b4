"""Listen on ports of the loopback interface, and report those that are taken."""

import errno
import random
import socket
from collections.abc import Sequence
from pathlib import Path

from .problem import Problem

LOOPBACK = "127.0.0.1"
PRIVILEGED_BELOW = 1024
OUTGOING = Path("/proc/sys/net/ipv4/ip_local_port_range")
OUTGOING_FROM = 32_768
"""Default start of the kernel's ephemeral range, for outgoing connections."""
FEWEST_PORTS = 1_000
BROWSERS_REFUSE = (
    1719, 1720, 1723, 2049, 3659, 4045, 5060, 5061, 6000, 6566, *range(6665, 6670), 6697, 10080,
)  # fmt: skip
"""Ports that browsers refuse to connect to: "bad ports" of the Fetch standard, for what no page may reach.

4190 and 6679 are on the standard's list too, but Chromium connects to them.
"""


def below_outgoing() -> range:
    """Return ports that the kernel gives to no outgoing connection, one of which could take them at any moment."""
    try:
        first = int(OUTGOING.read_text().split()[0])
    except (OSError, ValueError, IndexError):
        first = OUTGOING_FROM
    lowest = next((low for low in (20_000, 10_000, PRIVILEGED_BELOW) if first - low >= FEWEST_PORTS), None)
    # If the ephemeral range covers nearly all ports, fall back to the usual range.
    return range(lowest, min(first, OUTGOING_FROM)) if lowest else range(20_000, OUTGOING_FROM)


def listener(port: int, *, variable: str, command: str = "make run") -> socket.socket:
    """Return a listening socket on 127.0.0.1 to pass to a child. Port 0 picks a free one below the ephemeral range.

    `variable` is the one that sets the port of `command`. Raises Problem if the port is not available.
    """
    if not port:
        return listener(free_port(), variable=variable, command=command)
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    # Accepted sockets inherit the option; uvicorn does not set it on an inherited descriptor.
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    try:
        sock.bind((LOOPBACK, port))
        sock.listen(2048)
    except OSError as error:
        sock.close()
        raise taken(port, variable=variable, command=command, error=error) from error
    return sock


def taken(port: int, *, variable: str, command: str = "make run", error: OSError | None = None) -> Problem:
    """Return the Problem for a port that cannot be listened on."""
    if error and error.errno == errno.EACCES:
        return Problem(
            f"Port {port} needs more rights than this user has: choose one above {PRIVILEGED_BELOW - 1}, "
            f"for example `{command} {variable}={port + 8000}`."
        )
    another = port + 1 if port < 2**16 - 1 else port - 1
    return Problem(
        f"Port {port} is in use by another program: stop that program or choose another port, "
        f"for example `{command} {variable}={another}`."
    )


def free_port(
    port: int = 0, *, variable: str = "PORT", command: str = "make run", among: Sequence[int] | None = None
) -> int:
    """Return a port without a listener: the one given, or any of `among`. Raises Problem if it is taken."""
    if port:
        listener(port, variable=variable, command=command).close()
        return port
    ports = below_outgoing() if among is None else among
    for candidate in random.sample(ports, k=min(len(ports), 100)):
        try:
            listener(candidate, variable=variable).close()
        except Problem:
            continue
        return candidate
    raise Problem("There is no free port on this machine: end the programs that listen on them.")
