"""A connection to a D-Bus bus, as whom the kernel says that we are.

The usual EXTERNAL names a uid, and that of root of a user namespace is not the one that the bus sees: so none is named,
and the bus takes the socket's credentials.

Spec: D-Bus specification, "Authentication Protocol", EXTERNAL.
"""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jeepney.io.blocking import DBusConnection

_TIMEOUT_S = 5.0
_ANSWER_BYTES_MAX = 1024


def connect(address: str) -> DBusConnection:
    """Raises OSError where nobody answers, ValueError for an address that is none or a bus that does not let us in."""
    from jeepney.bus import get_bus
    from jeepney.io.blocking import DBusConnection

    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
    try:
        connection.settimeout(_TIMEOUT_S)
        connection.connect(get_bus(address))
        _authenticate(connection)
        connection.settimeout(None)
        return DBusConnection(connection)
    except BaseException:
        connection.close()
        raise


def _authenticate(connection: socket.socket) -> None:
    for line, answer in ((b"\0AUTH EXTERNAL\r\n", b"DATA"), (b"DATA\r\n", b"OK ")):
        connection.sendall(line)
        said = _line(connection)
        if not said.startswith(answer):
            raise ValueError(f"the bus does not let this user in: {said.decode(errors='replace').strip()}")
    connection.sendall(b"BEGIN\r\n")


def _line(connection: socket.socket) -> bytes:
    said = b""
    while not said.endswith(b"\r\n"):
        more = connection.recv(_ANSWER_BYTES_MAX - len(said))
        if not more:
            raise ValueError("the bus hangs up")
        said += more
    return said
