"""A seccomp agent: takes the listeners that a runtime hands over, and answers the calls that wait for it."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import os
import select
import socket
import struct
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

_RECEIVE, _SEND = 0xC0502100, 0xC0182101  # SECCOMP_IOCTL_NOTIF_RECV, SECCOMP_IOCTL_NOTIF_SEND
_REQUEST = struct.Struct("=QIIiIQ6Q")
_CONTINUE = 1

Answer = Callable[[int, tuple[int, ...]], int | None]


class Agent:
    """`answer` tells of a call's number and arguments with which errno it fails, or None for it to go on."""

    def __init__(self, path: Path, answer: Answer) -> None:
        self.path, self._answer = path, answer
        self.states: list[dict[str, Any]] = []
        self.calls: list[tuple[int, int]] = []  # pid, number
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.bind(str(path))
        self._socket.listen(8)
        self._stop, self._stopped = os.pipe()
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def close(self) -> None:
        os.close(self._stopped)
        for thread in self._threads:
            thread.join()
        os.close(self._stop)
        self._socket.close()

    def _wait(self, fd: int) -> bool:
        """Whether there is something to read before the end."""
        return fd in select.select([fd, self._stop], [], [])[0]

    def _accept(self) -> None:
        while self._wait(self._socket.fileno()):
            connection, _ = self._socket.accept()
            with connection:
                if not self._wait(connection.fileno()):
                    return
                message, fds, _, _ = socket.recv_fds(connection, 65536, 4)
            if message:
                self.states.append(json.loads(message))
                self._threads.append(threading.Thread(target=self._serve, args=(fds[0],)))
                self._threads[-1].start()

    def _serve(self, fd: int) -> None:
        try:
            while self._wait(fd):
                request = bytearray(_REQUEST.size)
                fcntl.ioctl(fd, _RECEIVE, request)
                identity, pid, _, number, _, _, *arguments = _REQUEST.unpack(request)
                self.calls.append((pid, number))
                error = self._answer(number, tuple(arguments))
                answer = struct.pack("=QqiI", identity, 0, -(error or 0), _CONTINUE if error is None else 0)
                fcntl.ioctl(fd, _SEND, bytearray(answer))
        except OSError as error_:
            if error_.errno != errno.ENOENT:  # the process is gone
                raise
        finally:
            with contextlib.suppress(OSError):
                os.close(fd)
