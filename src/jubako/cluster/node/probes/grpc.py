"""grpc.health.v1.Health/Check: one call over HTTP/2, without a library for gRPC.

Spec: core/v1 GRPCAction; "GRPC Health Checking Protocol"; "gRPC over HTTP2"; k8s.io/kubernetes/pkg/probe/grpc.
"""

from __future__ import annotations

import asyncio
import struct
from urllib.parse import unquote

import h2.config
import h2.connection
import h2.events
import h2.exceptions

from jubako.cluster.node.probes.dialing import Failed, Streams, dialed, joined

_PATH = "/grpc.health.v1.Health/Check"
_LIMIT_BYTES = 1 << 16
_UNIMPLEMENTED = 12
_STATES = {0: "UNKNOWN", 1: "SERVING", 2: "NOT_SERVING", 3: "SERVICE_UNKNOWN"}
_CODES = (
    "OK Canceled Unknown InvalidArgument DeadlineExceeded NotFound AlreadyExists PermissionDenied ResourceExhausted "
    "FailedPrecondition Aborted OutOfRange Unimplemented Internal Unavailable DataLoss Unauthenticated"
).split()


async def check(host: str, port: int, service: str, timeout_s: float) -> None:
    """Return if the service is being served. Raises Failed."""
    connected = False
    try:
        async with asyncio.timeout(timeout_s), dialed(host, port) as streams:
            connected = True
            state = await _Call(joined(host, port)).state(streams, service)
    except TimeoutError:
        if connected:
            raise Failed(f"timeout: health rpc did not complete within {timeout_s:.0f}s") from None
        raise Failed(_unconnected(host, port, timeout_s)) from None
    except Failed as failed:
        raise failed if connected else Failed(_unconnected(host, port, timeout_s)) from None
    if _STATES.get(state) != "SERVING":
        raise Failed(f'service unhealthy (responded with "{_STATES.get(state, state)}")')


def _unconnected(host: str, port: int, timeout_s: float) -> str:
    where = joined(host, port)
    return f'timeout: failed to connect service "{where}" within {timeout_s:.0f}s: context deadline exceeded'


class _Call:
    """One call: what has come of its answer."""

    def __init__(self, authority: str) -> None:
        self._authority = authority
        self._connection = h2.connection.H2Connection(h2.config.H2Configuration(header_encoding="utf-8"))
        self._message = bytearray()
        self._fields: dict[str, str] = {}
        self._over = False

    async def state(self, streams: Streams, service: str) -> int:
        """Ask, and return the ServingStatus. Raises Failed."""
        reader, writer = streams
        try:
            self._ask(service.encode())
            while not self._over:
                writer.write(self._connection.data_to_send())
                data = await reader.read(_LIMIT_BYTES)
                if not data:
                    raise _failure("Unavailable", "connection error: EOF")
                self._take(data)
        except (OSError, h2.exceptions.H2Error) as error:
            raise _failure("Unavailable", f"connection error: {error}") from None
        return self._judged()

    def _ask(self, service: bytes) -> None:
        self._connection.initiate_connection()
        fields = {
            ":method": "POST", ":scheme": "http", ":path": _PATH, ":authority": self._authority, "te": "trailers",
            "content-type": "application/grpc", "user-agent": "kube-probe/1.32",
        }  # fmt: skip
        self._connection.send_headers(1, list(fields.items()))
        request = b"\x0a" + _varint(len(service)) + service if service else b""
        self._connection.send_data(1, struct.pack(">BI", 0, len(request)) + request, end_stream=True)

    def _take(self, data: bytes) -> None:
        for event in self._connection.receive_data(data):
            match event:
                case h2.events.ResponseReceived() | h2.events.TrailersReceived():
                    self._fields |= {str(name): str(value) for name, value in event.headers or ()}
                case h2.events.DataReceived():
                    self._message += event.data or b""
                    self._connection.acknowledge_received_data(event.flow_controlled_length or 0, 1)
                case h2.events.StreamEnded():
                    self._over = True
                case h2.events.StreamReset() | h2.events.ConnectionTerminated():
                    raise _failure("Unavailable", "stream terminated by the server")
                case _:
                    pass
        if len(self._message) > _LIMIT_BYTES:
            raise _failure("ResourceExhausted", "grpc: received message larger than max")

    def _judged(self) -> int:
        if self._fields.get(":status") != "200":
            raise _failure(
                "Unknown", f"unexpected HTTP status code received from server: {self._fields.get(':status')}"
            )
        code, message = self._fields.get("grpc-status", "2"), unquote(self._fields.get("grpc-message", ""))
        if code == str(_UNIMPLEMENTED):
            why = "this server does not implement the grpc health protocol (grpc.health.v1.Health)"
            raise Failed(f"error: {why}: {message}")
        if code != "0":
            known = code.isdecimal() and int(code) < len(_CODES)
            raise _failure(_CODES[int(code)] if known else f"Code({code})", message)
        answer = bytes(self._message[5:])
        return answer[1] if answer[:1] == b"\x08" and len(answer) > 1 else 0


def _failure(code: str, message: str) -> Failed:
    return Failed(f"error: health rpc probe failed: rpc error: code = {code} desc = {message}")


def _varint(number: int) -> bytes:
    found = bytearray()
    while number > 0x7F:
        found.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*found, number])
