"""Finding the name server of a cluster, ending it, and the sockets that it listens on. All of it blocks."""

from __future__ import annotations

import os
import select
import signal
import socket
from contextlib import suppress
from pathlib import Path

import msgspec

from jubako.cluster.dns.process import SOCKET, Hello
from jubako.spec import decoding

_HOST, _PATIENCE_S, _HELLO_BYTES, _TRIES = "127.0.0.1", 1.0, 4096, 16


def find(directory: Path) -> tuple[Hello, socket.socket, list[socket.socket]]:
    """Connect to the name server of a directory; returns what it says, the connection, and its sockets.

    Raises OSError where there is none, or it does not answer.
    """
    peer = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    place = os.open(directory, os.O_PATH | os.O_CLOEXEC)
    try:
        peer.settimeout(_PATIENCE_S)
        peer.connect(f"/proc/self/fd/{place}/{SOCKET}")
        said, descriptors, _flags, _address = socket.recv_fds(peer, _HELLO_BYTES, 2)
        sockets = [socket.socket(fileno=each) for each in descriptors]
        hello = decoding.decode(said, Hello)
    except BaseException as error:
        peer.close()
        if isinstance(error, msgspec.MsgspecError):
            raise OSError("the name server says what nobody understands") from error
        raise
    finally:
        os.close(place)
    peer.setblocking(False)
    return hello, peer, sockets


def stop(directory: Path) -> None:
    """End the name server of a directory, if there is one."""
    with suppress(OSError):
        hello, peer, sockets = find(directory)
        for each in (peer, *sockets):
            each.close()
        end(hello.pid)


def end(pid: int) -> None:
    """End a process, and wait until it has ended."""
    with suppress(ProcessLookupError):
        process = os.pidfd_open(pid)
        try:
            signal.pidfd_send_signal(process, signal.SIGTERM)
            select.select([process], [], [], _PATIENCE_S)
        finally:
            os.close(process)


def bound() -> list[socket.socket]:
    """Sockets for datagrams and connections on one port of loopback, any that is free. Raises OSError."""
    for attempt in range(_TRIES):
        udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        tcp = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        try:
            udp.bind((_HOST, 0))
            tcp.bind(udp.getsockname())
            tcp.listen()
        except OSError:
            udp.close()
            tcp.close()
            if attempt == _TRIES - 1:
                raise
            continue
        return [udp, tcp]
    raise AssertionError
