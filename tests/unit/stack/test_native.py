"""What the native interface promises of its sockets."""

import fcntl
import socket

from leadvelocity.stack.clickhouse.native import is_readable

HIGH = 1_500


def test_clients_are_heard_however_many_files_are_open() -> None:
    """A client whose socket has a high number is heard as any other."""
    near, far = socket.socketpair()
    with near, far, socket.socket(fileno=fcntl.fcntl(near.fileno(), fcntl.F_DUPFD, HIGH)) as high:
        assert high.fileno() >= HIGH
        assert not is_readable(high)
        far.sendall(b"x")
        assert is_readable(high)
