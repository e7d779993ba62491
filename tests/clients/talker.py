"""Servers for tests of forwarded ports, on loopback: python talker.py ECHO SOURCE SINK BYTES

Says a line when it listens.
ECHO sends back what it gets, SOURCE sends BYTES zeros, SINK counts to the end and tells how many bytes it got.
"""

from __future__ import annotations

import socketserver
import sys
import threading

PIECE_BYTES = 1 << 16


class Echo(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        while data := self.request.recv(PIECE_BYTES):
            self.request.sendall(data)


class Source(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        self.request.sendall(bytes(int(sys.argv[4])))


class Sink(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        size = 0
        while data := self.request.recv(PIECE_BYTES):
            size += len(data)
        self.request.sendall(b"%d" % size)


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = daemon_threads = True
    request_queue_size = 128


if __name__ == "__main__":
    for port, handler in zip(sys.argv[1:4], (Echo, Source, Sink), strict=True):
        server = Server(("127.0.0.1", int(port)), handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
    sys.stdout.write("listening\n")
    sys.stdout.flush()
    sys.stdin.read()
