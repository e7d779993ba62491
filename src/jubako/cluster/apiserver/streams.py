"""What the API server needs of a node to serve logs, exec, attach, port-forward and proxies.

The node fulfils it; here is only its shape.
"""

from __future__ import annotations

import socket
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from typing import Protocol

import msgspec

from jubako.cluster.types.document import Object


class LogOptions(msgspec.Struct, frozen=True, kw_only=True):
    """Of core/v1 PodLogOptions. `since_ns` is since the epoch; -1 stands for no limit."""

    follow: bool = False
    previous: bool = False
    timestamps: bool = False
    tail: int = -1
    limit_bytes: int = -1
    since_ns: int | None = None


class Output(msgspec.Struct, frozen=True):
    """Bytes of a stream: 1 is stdout, 2 stderr."""

    stream: int
    data: bytes


class Session(Protocol):
    """A process that a client talks to."""

    def output(self) -> AsyncIterator[Output]:
        """What it writes, until its end."""

    async def exit_code(self) -> int:
        """How it ended; once the output has ended."""

    async def write(self, data: bytes) -> None:
        """Give it input. Raises OSError when nobody reads any more."""

    async def close_input(self) -> None: ...

    async def resize(self, height: int, width: int) -> None: ...

    async def close(self) -> None:
        """End it, unless it has ended; of an attachment, let go of it."""


class Ports(Protocol):
    """What listens in a pod; `id` is how messages call the pod."""

    @property
    def id(self) -> str: ...

    @property
    def address(self) -> str:
        """By which others reach it."""

    async def dial(self, port: int) -> socket.socket:
        """Connect to a port on its loopback, as a socket that does not block. Raises JubakoError."""

    async def open(self) -> socket.socket:
        """Return a socket for TCP in its network, which does not block and is not connected. Raises JubakoError."""


class Streams(Protocol):
    """Raises FailedPrecondition where a container or a pod does not run, NotFound where it has just gone."""

    def logs(self, pod: Object, container: str, options: LogOptions) -> AsyncGenerator[bytes, None]: ...

    async def check(self, pod: Object, container: str) -> None: ...

    async def execute(
        self, pod: Object, container: str, command: Sequence[str], *, tty: bool, stdin: bool
    ) -> Session: ...

    async def attach(self, pod: Object, container: str) -> Session: ...

    async def ports(self, pod: Object) -> Ports: ...
