"""Ports on the loopback interface, and the sentence for one that is taken."""

import errno
import random
import socket

from local_stack.problem import Problem

LOOPBACK = "127.0.0.1"
PRIVILEGED_BELOW = 1024
# Below the ports that the kernel gives to outgoing connections (from 32768), one of which could take it meanwhile.
BELOW_OUTGOING = range(20_000, 32_000)


def listener(port: int, *, variable: str, command: str = "make run") -> socket.socket:
    """A listening socket on 127.0.0.1, to be handed to a child; port 0 takes any free one.

    `variable` is the one that chooses the port of `command`. Raises Problem when the port cannot be had.
    """
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    # Accepted sockets inherit it; uvicorn, given a bare descriptor, does not know it is TCP and would not ask for it.
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    try:
        sock.bind((LOOPBACK, port))
        sock.listen(2048)
    except OSError as error:
        sock.close()
        raise taken(port, variable=variable, command=command, error=error) from error
    return sock


def taken(port: int, *, variable: str, command: str = "make run", error: OSError | None = None) -> Problem:
    """The sentence for a port that cannot be listened on."""
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


def free_port(port: int = 0, *, variable: str = "PORT", command: str = "make run") -> int:
    """A port that nobody listens on at this moment: the one given, or any. Raises Problem if it is taken."""
    if port:
        listener(port, variable=variable, command=command).close()
        return port
    for candidate in random.sample(BELOW_OUTGOING, k=100):
        try:
            listener(candidate, variable=variable).close()
        except Problem:
            continue
        return candidate
    raise Problem("There is no free port on this machine: end the programs that listen on them.")
