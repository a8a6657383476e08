"""Choosing loopback ports."""

import os
import socket
from pathlib import Path

from leadvelocity.stack import ports


def test_chosen_ports_are_free_and_different():
    """Each name gets a port of its own on which a server can listen."""
    chosen = ports.choose([f"part-{number}" for number in range(50)])

    assert len(set(chosen.values())) == 50
    assert all(ports.is_free(port) for port in chosen.values())


def test_chosen_ports_are_never_given_to_outgoing_connections():
    """A stack that is down does not lose a port to a client that happens to get it."""
    first_outgoing = int(
        Path("/proc/sys/net/ipv4/ip_local_port_range").read_text(encoding="ascii").split()[0]
    )

    assert max(ports.choose([str(number) for number in range(200)]).values()) < first_outgoing


def test_a_taken_port_is_seen_and_its_owner_named():
    """Whoever must make room is told by name and process."""
    with socket.socket() as server:
        server.bind((ports.HOST, 0))
        server.listen()
        port = server.getsockname()[1]

        assert not ports.is_free(port)
        assert str(os.getpid()) in ports.owner(port)


def test_a_port_is_free_again_after_its_server_has_gone():
    """Connections that linger after a close do not keep a restart from its port."""
    with socket.socket() as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        server.bind((ports.HOST, 0))
        server.listen()
        port = server.getsockname()[1]
        client = socket.create_connection((ports.HOST, port))
        accepted, _ = server.accept()
        accepted.close()  # the server's side closes first: it lingers
        client.close()

    assert ports.is_free(port)
