from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

import pytest

from jubako.cli.kube.carrying import Carrying
from jubako.cli.kube.verbs.port_forward import Pair, _pair
from jubako.cluster.client.websocket import WebSocket
from jubako.cluster.types.document import Object
from jubako.errors import InvalidArgument

POD: Object = {
    "metadata": {"name": "p"},
    "spec": {"containers": [{"ports": [{"name": "http", "containerPort": 8080}]}]},
}
SERVICE: Object = {
    "metadata": {"name": "s"},
    "spec": {
        "ports": [{"name": "web", "port": 80, "targetPort": 8080}, {"port": 81}, {"port": 82, "targetPort": "http"}]
    },
}


@pytest.mark.parametrize(
    ("word", "service", "pair"),
    [
        ("80", None, Pair(80, 80)),
        ("5000:80", None, Pair(5000, 80)),
        (":80", None, Pair(0, 80)),
        ("http", None, Pair(8080, 8080)),
        ("5000:http", None, Pair(5000, 8080)),
        ("80", SERVICE, Pair(80, 8080)),
        ("5000:web", SERVICE, Pair(5000, 8080)),
        ("81", SERVICE, Pair(81, 81)),
        ("82", SERVICE, Pair(82, 8080)),
    ],
)
def test_which_ports_are_meant(word: str, service: Object | None, pair: Pair) -> None:
    assert _pair(word, POD, service) == pair


@pytest.mark.parametrize(
    ("word", "service"), [("x", None), ("a:80", None), ("70000:80", None), ("0", None), ("99", SERVICE)]
)
def test_what_is_no_port(word: str, service: Object | None) -> None:
    with pytest.raises(InvalidArgument):
        _pair(word, POD, service)


class Ends:
    """A client's connection, the pod's side as bare frames, and what carries between them."""

    def __init__(self) -> None:
        self.client, accepted = socket.socketpair()
        ours, self.pod = socket.socketpair()
        for each in (self.client, self.pod):
            each.settimeout(60)
        self.carrying = Carrying(accepted, WebSocket(ours, "v4.channel.k8s.io", b""))
        self.failed = ""
        self._held = (accepted, ours)
        self.thread = threading.Thread(target=self._run)
        self.thread.start()

    def _run(self) -> None:
        self.failed = self.carrying.run()
        self._held[0].close()

    def say(self, channel: int, data: bytes, opcode: int = 2) -> None:
        body = (bytes([channel]) + data) if opcode == 2 else b""
        self.pod.sendall(bytes([0x80 | opcode, len(body)]) + body)

    def heard(self) -> bytes:
        frame = self.pod.recv(1 << 16)
        mask = frame[2:6]
        return bytes(byte ^ mask[index % 4] for index, byte in enumerate(frame[6:]))

    def close(self) -> None:
        self.pod.close()
        self.thread.join(60)
        for each in (self.client, *self._held):
            each.close()


@pytest.fixture
def ends() -> Iterator[Ends]:
    found = Ends()
    yield found
    found.close()


def test_bytes_pass_both_ways_without_the_ports_that_begin_each_channel(ends: Ends) -> None:
    ends.say(0, b"\x50\x00")
    ends.say(1, b"\x50\x00")
    ends.client.sendall(b"question")
    assert ends.heard() == b"\x00question"
    ends.say(0, b"answer")
    assert ends.client.recv(100) == b"answer"
    ends.say(0, b"", opcode=8)
    assert ends.client.recv(100) == b""


def test_a_client_that_has_said_its_last_still_hears_the_answer(ends: Ends) -> None:
    ends.say(0, b"\x50\x00")
    ends.client.shutdown(socket.SHUT_WR)
    ends.say(0, b"late")
    assert ends.client.recv(100) == b"late"


def test_what_fails_in_the_pod_is_told(ends: Ends) -> None:
    ends.say(0, b"\x50\x00")
    ends.say(1, b"\x50\x00")
    ends.say(1, b"connection refused")
    ends.thread.join(60)
    assert ends.failed == "connection refused"
