"""One invocation of the command line: its streams, its engine, and where it was called from."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from jubako.engine import Engine
    from jubako.python import Engine as BuildingEngine


class Streams:
    """The caller's standard streams as file descriptors; texts go out in one write, unbuffered."""

    __slots__ = ("stderr", "stdin", "stdout")

    def __init__(self, stdin: int = 0, stdout: int = 1, stderr: int = 2) -> None:
        self.stdin = stdin
        self.stdout = stdout
        self.stderr = stderr


def write_all(fd: int, data: bytes | memoryview) -> None:
    """Write every byte, waiting where the other end is slow."""
    view = memoryview(data)
    while view:
        try:
            view = view[os.write(fd, view) :]
        except BlockingIOError:
            _wait_writable(fd)


def _wait_writable(fd: int) -> None:
    import select

    poll = select.poll()
    poll.register(fd, select.POLLOUT)
    poll.poll()


Opener = Callable[[str | None, str | None, bool], "Engine"]
"""Opens the engine on a root and a run root; with True, the one that builds too."""


class Call:
    """What a command gets; the engine opens at its first use.

    `path` is how it was called (`container ls`), and `usage_lines` says of a path how it may be called.
    """

    def __init__(self, streams: Streams, opener: Opener) -> None:
        self.streams = streams
        self.path = ""
        self.usage_lines: Callable[[str], str] | None = None
        self.root: str | None = None
        self.run_root: str | None = None
        self.debug = False
        self._opener = opener
        self._engine: Engine | None = None

    @property
    def engine(self) -> Engine:
        return self._open(builds=False)

    @property
    def builder(self) -> BuildingEngine:
        """The engine with the builder beside it. Apart, since running a container need not import it."""
        return cast("BuildingEngine", self._open(builds=True))

    def enter_own_root(self) -> None:
        """An ordinary user's command works on its state as root of a user namespace."""
        if os.geteuid() != 0:
            from jubako.engine import paths
            from jubako.runtime import rootless

            rootless.enter(paths.resolve(self.root, self.run_root)[1])

    def _open(self, *, builds: bool) -> Engine:
        if self._engine is None:
            self.enter_own_root()
            self._engine = self._opener(self.root, self.run_root, builds)
        return self._engine

    def close(self, *, ending: bool) -> None:
        """Let go of the engine; `ending` says that this process ends with the call."""
        if self._engine is not None:
            if ending:
                self._engine.leave()
            else:
                self._engine.close()
            self._engine = None

    def out(self, text: str) -> None:
        """Write text to standard output as it is."""
        if text:
            write_all(self.streams.stdout, text.encode("utf-8", "surrogateescape"))

    def line(self, text: object) -> None:
        self.out(f"{text}\n")

    def error(self, text: str) -> None:
        """Write a line to standard error."""
        write_all(self.streams.stderr, f"{text}\n".encode("utf-8", "surrogateescape"))

    def is_terminal(self, fd: int) -> bool:
        return os.isatty(fd)

    def ask(self, question: str) -> bool:
        """Ask for a yes on standard input; the end of the input is a no."""
        self.out(f"{question} [y/N] ")
        answer = b""
        while not answer.endswith(b"\n"):
            byte = os.read(self.streams.stdin, 1)
            if not byte:
                break
            answer += byte
        return answer.strip().lower() == b"y"
