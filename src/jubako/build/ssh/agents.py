"""`--ssh`: the agents of a build by their IDs.

Forms: `default` or `ID` (the agent at SSH_AUTH_SOCK), `ID=SOCKET`, `ID=KEY[,KEY...]` (private keys in files).
Spec:  buildx, "--ssh".
"""

from __future__ import annotations

import socket
import stat
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Protocol

from jubako.build.ssh import wire
from jubako.errors import InvalidArgument, Unavailable
from jubako.linux.fd import connect_stream


class Connection(Protocol):
    """One conversation with an agent."""

    def ask(self, request: bytes) -> bytes:
        """The answer to one message; raises Unavailable and OSError."""

    def stop(self) -> None:
        """From another thread: let `ask` end at once."""


class Agent(Protocol):
    def connected(self) -> AbstractContextManager[Connection]:
        """Lend a conversation of its own. Raises Unavailable."""


def agents(texts: Sequence[str], environ: Mapping[str, str]) -> dict[str, Agent]:
    """The agents that `--ssh` names. Raises InvalidArgument for one that is not there, and for keys that are none."""
    found: dict[str, Agent] = {}
    for text in texts:
        agent_id, _, places = text.partition("=")
        if not agent_id:
            raise InvalidArgument(f"invalid ssh value {text!r}", hint="it is default or ID[=SOCKET|KEY[,KEY...]]")
        if agent_id in found:
            raise InvalidArgument(f"duplicate ssh ID {agent_id!r}")
        found[agent_id] = _agent([Path(place) for place in places.split(",") if place], environ)
    return found


def _agent(paths: list[Path], environ: Mapping[str, str]) -> Agent:
    if not paths:
        path = environ.get("SSH_AUTH_SOCK")
        if not path:
            raise InvalidArgument("invalid empty ssh agent socket", hint="make sure that SSH_AUTH_SOCK is set")
        paths = [Path(path)]
    sockets = [path for path in paths if _is_socket(path)]
    if sockets and len(paths) > 1:
        raise InvalidArgument(f"only one ssh agent socket can be given for an ID, and no keys beside it: {sockets[0]}")
    if sockets:
        return SocketAgent(sockets[0].absolute())
    from jubako.build.ssh.keyring import Keyring, load_key

    return Keyring([load_key(path) for path in paths])


def _is_socket(path: Path) -> bool:
    try:
        return stat.S_ISSOCK(path.stat().st_mode)
    except OSError as error:
        raise InvalidArgument(f"no ssh agent or key at {path}: {error.strerror}") from None


class SocketAgent:
    """The agent that listens at a path."""

    def __init__(self, path: Path) -> None:
        self._path = path

    @contextmanager
    def connected(self) -> Iterator[_SocketConnection]:
        try:
            fd = connect_stream(str(self._path))
        except OSError as error:
            raise Unavailable(f"the ssh agent at {self._path} does not answer: {error.strerror}") from error
        with socket.socket(fileno=fd) as connection:
            yield _SocketConnection(connection)


class _SocketConnection:
    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection

    def ask(self, request: bytes) -> bytes:
        wire.write_message(self._connection, request)
        answer = wire.read_message(self._connection)
        if answer is None:
            raise Unavailable("the ssh agent has closed its connection")
        return answer

    def stop(self) -> None:
        self._connection.shutdown(socket.SHUT_RDWR)
