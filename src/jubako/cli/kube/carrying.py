"""One forwarded connection: bytes between a socket and the channels of a WebSocket.

Model: channel 0 carries the bytes, channel 1 says what failed; both begin with the port in two bytes. A side that is
       slow holds back the other, and nothing waits for a write.
Spec:  k8s.io/kubelet/pkg/cri/streaming/portforward, websocket.go.
"""

from __future__ import annotations

import select
import socket

from jubako.cluster.client.websocket import WebSocket

_DATA, _ERROR = 0, 1
_CHUNK_BYTES = 16384
# What a client that has said its last may still wait for.
_SILENCE_MS = 60_000


class Carrying:
    """One connection, both ways, in one loop."""

    def __init__(self, accepted: socket.socket, opened: WebSocket) -> None:
        self._accepted, self._opened = accepted, opened
        accepted.setblocking(False)
        self._held = b""
        self._told: dict[int, bytes] = {_DATA: b"", _ERROR: b""}
        self._begun = dict.fromkeys(self._told, 0)
        self._listens = True

    def run(self) -> str:
        """Carry until the pod's side ends; return what failed there."""
        while not self._is_over():
            ready = dict(self._wait())
            if self._held and ready.get(self._accepted.fileno(), 0):
                self._held = self._held[self._accepted.send(self._held) :]
            elif not self._held and ready.get(self._accepted.fileno(), 0):
                self._take()
            heard = self._opened.pending or ready.get(self._opened.fileno(), 0) & select.POLLIN
            if heard and not self._held and not self._hear():
                break
        return self._told[_ERROR].decode(errors="replace")

    def _is_over(self) -> bool:
        return bool(self._told[_ERROR]) and not self._held

    def _wait(self) -> list[tuple[int, int]]:
        if self._opened.pending and not self._held:
            return []
        poll = select.poll()
        if self._held:
            poll.register(self._accepted.fileno(), select.POLLOUT)
        else:
            # What the client says is read only when it can be handed on.
            room = bool(select.select([], [self._opened.fileno()], [], 0)[1])
            poll.register(self._opened.fileno(), select.POLLIN | (0 if room or not self._listens else select.POLLOUT))
            if room and self._listens:
                poll.register(self._accepted.fileno(), select.POLLIN)
        ready = poll.poll(None if self._listens else _SILENCE_MS)
        if not ready:
            raise TimeoutError
        return ready

    def _take(self) -> None:
        """Hand on what the client says."""
        data = self._accepted.recv(_CHUNK_BYTES)
        if data:
            self._opened.send(bytes([_DATA]) + data)
        else:
            self._listens = False

    def _hear(self) -> bool:
        """Take one message of the pod's side; False at its end."""
        message = self._opened.receive()
        if message is None:
            return False
        channel, data = message[0] if message else _ERROR, message[1:]
        # Each channel first says which port it is of.
        skipped = min(2 - self._begun.get(channel, 2), len(data))
        self._begun[channel] = self._begun.get(channel, 2) + skipped
        if channel == _DATA:
            self._held += data[skipped:]
        elif channel == _ERROR:
            self._told[_ERROR] += data[skipped:]
        return True
