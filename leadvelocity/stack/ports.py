"""Loopback ports: choosing free ones, and saying who took one."""

import random
import socket
from collections.abc import Collection

import psutil

HOST = "127.0.0.1"

# Below the range from which systems give ports to outgoing connections: a stack keeps its ports
# while it is down, and nobody shall get one of them by chance.
_RANGE = range(20_000, 32_000)


def is_free(port: int) -> bool:
    """Return whether a server could listen on `port` of the loopback address now."""
    with socket.socket() as probe:
        # As servers do: connections that linger after a close do not count.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
            probe.listen(1)
        except OSError:
            return False
    return True


def choose(names: Collection[str]) -> dict[str, int]:
    """Return a free port for each name, no two alike.

    Raises
    ------
    OSError
        No free port was found.
    """
    candidates = random.SystemRandom().sample(_RANGE, k=len(_RANGE))
    free = (port for port in candidates if is_free(port))
    try:
        return {name: next(free) for name in names}
    except StopIteration:
        raise OSError(f"no free port on {HOST} in {_RANGE.start}-{_RANGE.stop}") from None


def owner(port: int) -> str:
    """Return words for the program that listens on `port`, as far as the system tells."""
    try:
        listening = psutil.net_connections(kind="tcp")
    except psutil.AccessDenied:
        return "another program"
    for connection in listening:
        if connection.laddr and connection.laddr.port == port and connection.pid:
            try:
                name = psutil.Process(connection.pid).name()
            except psutil.NoSuchProcess:
                break
            return f"{name} (process {connection.pid})"
    return "another program"
