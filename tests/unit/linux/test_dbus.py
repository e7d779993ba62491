"""The first words with a bus, which a thread stands for."""

from __future__ import annotations

import socket
import threading
from pathlib import Path

import pytest

from jubako.linux import dbus


def bus(path: Path, answers: list[bytes]) -> tuple[threading.Thread, list[bytes]]:
    """One that says `answers` in turn, and then hangs up; what it has heard."""
    heard: list[bytes] = []
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    listener.listen(1)

    def serve() -> None:
        with listener, listener.accept()[0] as connection:
            for answer in answers:
                heard.append(connection.recv(1024))
                connection.sendall(answer)

    thread = threading.Thread(target=serve)
    thread.start()
    return thread, heard


def test_no_uid_is_named(tmp_path: Path) -> None:
    """The one within a user namespace is not that which the bus sees, and a bus refuses another than it sees."""
    serving, heard = bus(tmp_path / "bus", [b"DATA\r\n", b"OK 1234\r\n"])
    with pytest.raises(ConnectionError):
        dbus.connect(f"unix:path={tmp_path}/bus")
    serving.join()
    assert heard == [b"\0AUTH EXTERNAL\r\n", b"DATA\r\n"]


def test_a_bus_that_lets_nobody_in_is_told_with_its_words(tmp_path: Path) -> None:
    serving, _ = bus(tmp_path / "bus", [b"REJECTED ANONYMOUS\r\n"])
    with pytest.raises(ValueError, match="does not let this user in: REJECTED ANONYMOUS"):
        dbus.connect(f"unix:path={tmp_path}/bus")
    serving.join()
