"""jubako exec TYPE/NAME: a command in a container of a cluster, over a WebSocket.

    0 stdin   1 stdout   2 stderr   3 the Status at the end   4 the window's size   255 (v5) a channel that ends

Spec: `kubectl exec`; k8s.io/apimachinery/pkg/util/remotecommand, "v5.channel.k8s.io" and "v4.channel.k8s.io".
"""

from __future__ import annotations

import sys

import msgspec

from jubako.cli.failure import Exit
from jubako.cli.kube.client import Client
from jubako.cli.kube.podchoice import container_of, path, pods_of
from jubako.cli.pump import EXITED, STDERR, STDOUT
from jubako.cli.session import Session
from jubako.cluster.client.failure import Refused
from jubako.cluster.client.websocket import WebSocket
from jubako.cluster.types.document import Object, at, mapping, objects, text
from jubako.errors import InvalidArgument

_V5 = "v5.channel.k8s.io"
_PROTOCOLS = (_V5, "v4.channel.k8s.io")
_STDIN, _ERROR, _RESIZE, _CLOSE = 0, 3, 4, 255
_KINDS = {1: STDOUT, 2: STDERR}
_CHUNK_BYTES = 32768


class Frame(msgspec.Struct, frozen=True):
    """One piece of what comes: output, or the exit code."""

    kind: int
    data: bytes


class Remote:
    """A command that runs elsewhere, as the pump carries it. `status` is how it ended, once that is known."""

    def __init__(self, socket: WebSocket) -> None:
        self._socket = socket
        self.status: Object | None = None

    def fileno(self) -> int:
        return self._socket.fileno()

    @property
    def pending(self) -> bool:
        return self._socket.pending

    def read(self, timeout_s: float | None = None) -> Frame | None:
        message = self._socket.receive()
        if message is None:
            return None
        channel, data = message[0] if message else -1, message[1:]
        if channel == _ERROR:
            self.status = mapping(msgspec.json.decode(data))
            return Frame(EXITED, exit_code(self.status).to_bytes(4, sys.byteorder))
        return Frame(_KINDS.get(channel, 0), data)

    def write(self, data: bytes) -> None:
        for start in range(0, len(data), _CHUNK_BYTES):
            self._socket.send(bytes([_STDIN]) + data[start : start + _CHUNK_BYTES])

    def close_stdin(self) -> None:
        if self._socket.protocol == _V5:  # before, there was no way to say it
            self._socket.send(bytes([_CLOSE, _STDIN]))

    def resize(self, height: int, width: int) -> None:
        self._socket.send(bytes([_RESIZE]) + msgspec.json.encode({"Width": width, "Height": height}))

    def signal(self, number: int) -> None:
        """Signals of ours end only this command."""


def exit_code(status: Object) -> int:
    """Return with what the command ended; 1 where it could not be run."""
    if status.get("status") == "Success":
        return 0
    causes = objects(at(status, "details", "causes"))
    code = next((text(each.get("message")) for each in causes if each.get("reason") == "ExitCode"), "")
    return int(code) if code.isdecimal() else 1


def execute(client: Client) -> int:
    """Run the command, carry its streams, and return its exit code."""
    arguments = client.arguments
    if not arguments.operands:
        raise InvalidArgument("pod, type/name or --filename must be specified")
    name, *command = arguments.operands
    if not command:
        raise InvalidArgument("you must specify at least one command for the container")
    pod = pods_of(client, name, "attach to")[0]
    if text(at(pod, "status", "phase")) in ("Succeeded", "Failed"):
        phase = text(at(pod, "status", "phase"))
        raise InvalidArgument(f"cannot exec into a container in a completed pod; current phase is {phase}")
    container = container_of(client, pod, arguments.text("container"))
    return _run(client, pod, container, command)


def _run(client: Client, pod: Object, container: str, command: list[str]) -> int:
    arguments = client.arguments
    stdin, tty = arguments.flag("stdin"), arguments.flag("tty")
    if tty and not (stdin and client.call.is_terminal(client.call.streams.stdin)):
        client.error("Unable to use a TTY - input is not a terminal or the right kind of file")
        tty = False
    query = {"container": container, "command": command, "stdout": "true", "stderr": "false" if tty else "true"}
    query |= {"stdin": "true"} if stdin else {}
    query |= {"tty": "true"} if tty else {}
    socket = client.connection.upgrade(path(client, pod, "exec"), query, _PROTOCOLS)
    remote = Remote(socket)
    try:
        with Session(client.call, tty=tty, stdin=stdin, proxy=False, keys="") as session:
            code = session.run(remote)
    finally:
        socket.close()
    return _ended(client, remote, code)


def _ended(client: Client, remote: Remote, code: int | None) -> int:
    if code is None or remote.status is None:
        raise Exit(1, "error: the connection was lost before the command ended")
    if code == 0:
        return 0
    if text(remote.status.get("reason")) == "NonZeroExitCode":
        client.error(f"command terminated with exit code {code}")
        return code
    raise Refused(remote.status)
