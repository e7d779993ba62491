"""The front as the parent of what a call starts, see executor/front/spawn.c."""

from __future__ import annotations

import os
import select
import struct
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager

from jubako.cli.keeper.protocol import ReplyKind, send_reply
from jubako.errors import Unavailable
from jubako.linux import fd as fds_of

ORDER = struct.Struct("=III")
ANSWER = struct.Struct("=ii")


class Front:
    """At the other end of `connection`; `groups` are those that the caller is in, as in /proc/<pid>/cgroup."""

    def __init__(self, connection: int, groups: str) -> None:
        self._connection = connection
        self._groups = groups
        self.joined = False
        self._children: dict[int, int] = {}  # pid -> pidfd

    @property
    def pid(self) -> int:
        return fds_of.peer_pid(self._connection)

    def spawn(
        self, program: int, arguments: Sequence[str], environment: Mapping[str, str], fds: Collection[int]
    ) -> int:
        text = fds_of.sealed_memory("order", _order(arguments, environment, list(fds)))
        mine, theirs = fds_of.packet_pair()
        try:
            sent = send_reply(self._connection, ReplyKind.SPAWN, 0, fds=[theirs, text, program, *fds])
            fds_of.close_all([theirs])
            theirs = -1
            answer, pidfds = fds_of.receive_fds(mine, ANSWER.size) if sent else (b"", [])
        finally:
            fds_of.close_all([text, mine, theirs])
        if not answer:
            raise Unavailable("the command's own process has died")
        error, pid = ANSWER.unpack(answer)
        if error:
            raise OSError(error, os.strerror(error))
        for pidfd in pidfds:
            self._children[pid] = pidfd
        return int(pid)

    def collect(self, pid: int, *, wait: bool) -> bool:
        """The front itself takes their status, at its own end."""
        pidfd = self._children.get(pid)
        if pidfd is None:
            return True
        poll = select.poll()
        poll.register(pidfd, select.POLLIN)
        if not poll.poll(None if wait else 0):
            return False
        os.close(self._children.pop(pid))
        return True

    def join_groups(self) -> None:
        from jubako.cli.keeper import place

        self.joined = True
        place.join(self._groups)


@contextmanager
def as_parent(connection: int, groups: str) -> Iterator[None]:
    """Have this process's containers descend from the front, instead of from the keeper.

    When the front ends, nothing of its call is in its groups any more.
    """
    from jubako.runtime import program

    parent = Front(connection, groups)
    program.work_for(parent)
    yield
    if parent.joined:
        from jubako.cli.keeper import place

        place.leave()


def _order(arguments: Sequence[str], environment: Mapping[str, str], targets: list[int]) -> bytes:
    strings = [*arguments, *(f"{name}={value}" for name, value in environment.items())]
    return b"".join(
        [
            ORDER.pack(len(arguments), len(environment), len(targets)),
            struct.pack(f"={len(targets)}i", *targets),
            *(os.fsencode(text) + b"\0" for text in strings),
        ]
    )
