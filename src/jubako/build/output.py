"""The output of a command: handed on as it comes, its last lines kept for whoever is told that it failed."""

from __future__ import annotations

import os
import select

from jubako.build.graph.filesystem import Task
from jubako.build.progress import printable
from jubako.runtime.executor import Exit, Handle

_CHUNK = 1 << 16
_TAIL_BYTES = 4096
_TAIL_LINES = 10


class Output:
    """What comes from `reader`, the end of a pipe that the command writes to."""

    def __init__(self, reader: int, task: Task) -> None:
        os.set_blocking(reader, False)
        self._reader = reader
        self._task = task
        self._tail = b""

    def follow(self, handle: Handle) -> Exit:
        """Hand the output on until the command has ended; what it wrote before that is all read."""
        poll = select.poll()
        poll.register(self._reader, select.POLLIN)
        poll.register(handle.fileno(), select.POLLIN)
        try:
            while not any(fd == handle.fileno() for fd, _ in poll.poll()):
                if not self._drain():
                    poll.unregister(self._reader)
            ended = handle.wait()
            self._drain()
        except BaseException:
            handle.abandon()
            raise
        handle.acknowledge()
        return ended

    def last_lines(self) -> list[str]:
        whole = self._tail if len(self._tail) < _TAIL_BYTES else self._tail.partition(b"\n")[2] or self._tail
        return [printable(line) for line in whole.splitlines()[-_TAIL_LINES:]]

    def _drain(self) -> bool:
        """Take what is there; False at the end of the stream."""
        while True:
            try:
                data = os.read(self._reader, _CHUNK)
            except BlockingIOError:
                return True
            if not data:
                return False
            self._tail = (self._tail + data)[-_TAIL_BYTES:]
            self._task.log(data)
