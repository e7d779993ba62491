"""A little internet of network namespaces: a host, an outside, and containers. Nothing touches the machine's own.

    outside 192.0.2.2 ── 192.0.2.1 host ── bridge ── containers

A namespace is only an open file here, so it ends when it is closed. Sockets made inside one stay there, hence a test
needs no processes: a listening socket in one namespace and a connecting one in another are enough.
"""

from __future__ import annotations

import ctypes
import os
import socket
import subprocess
import time

from jubako.linux.netns import CLONE_NEWNET, inside
from jubako.linux.syscall import libc

HOST, OUTSIDE = "192.0.2.1", "192.0.2.2"
PATIENCE_S = 3.0
# The kernel takes namespaces apart one batch after the other, for the whole machine.
TEARDOWN_S = 20.0


class Namespace:
    """A network namespace of our own."""

    def __init__(self) -> None:
        home = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        try:
            if libc.unshare(CLONE_NEWNET) != 0:
                raise OSError(ctypes.get_errno(), "unshare")
            self.fd = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
            assert libc.setns(home, CLONE_NEWNET) == 0
        finally:
            os.close(home)

    def close(self) -> None:
        os.close(self.fd)

    def run(self, command: str, *, check: bool = True) -> str:
        """Run a shell command inside and return what it printed."""
        with inside(self.fd):
            done = subprocess.run(command, shell=True, capture_output=True, text=True, check=False)
        assert done.returncode == 0 or not check, done.stderr
        return done.stdout

    def socket(self, kind: int = socket.SOCK_STREAM) -> socket.socket:
        with inside(self.fd):
            made = socket.socket(socket.AF_INET, kind)
        made.settimeout(PATIENCE_S)
        return made

    def listen(self, port: int, ip: str = "0.0.0.0") -> socket.socket:
        made = self.socket()
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind((ip, port))
        made.listen(64)
        return made

    def reach(self, ip: str, port: int, server: socket.socket) -> str:
        """Connect to a server somewhere else, pass a byte both ways, and return who the server thinks we are."""
        with self.socket() as client:
            client.connect((ip, port))
            connection, (source, _port) = server.accept()
            with connection:
                client.sendall(b"?")
                assert connection.recv(1) == b"?"
                connection.sendall(b"!")
                assert client.recv(1) == b"!"
        return str(source)

    def is_refused(self, ip: str, port: int, *, patience_s: float = 0.4) -> bool:
        """Tell whether nobody answers: refused, unreachable or silent."""
        with self.socket() as client:
            client.settimeout(patience_s)
            return client.connect_ex((ip, port)) != 0


class World:
    """The host and the outside, wired; and containers as a test makes them."""

    def __init__(self) -> None:
        self.host, self.outside = Namespace(), Namespace()
        self.containers: list[Namespace] = []
        self.host.run("ip link set lo up; ip link add up0 type veth peer name out0")
        self.host.run(f"ip link set out0 netns /proc/{os.getpid()}/fd/{self.outside.fd}")
        self.host.run(f"ip addr add {HOST}/24 dev up0; ip link set up0 up")
        self.outside.run(f"ip link set lo up; ip addr add {OUTSIDE}/24 dev out0; ip link set out0 up")

    def container(self) -> Namespace:
        made = Namespace()
        self.containers.append(made)
        return made

    def close(self) -> None:
        for namespace in (*self.containers, self.outside, self.host):
            namespace.close()

    def end(self, container: Namespace) -> None:
        """What the end of a container's last process does."""
        self.containers.remove(container)
        container.close()

    def links(self) -> list[str]:
        """The host's links besides its own."""
        names = [line.split(":")[1].strip().split("@")[0] for line in self.host.run("ip -o link").splitlines()]
        return sorted(set(names) - {"lo", "up0"})

    def settled_links(self) -> list[str]:
        """The same, once the kernel has taken away the pairs of namespaces that ended."""
        deadline = time.monotonic() + TEARDOWN_S
        while any(name.startswith("vj") for name in self.links()) and time.monotonic() < deadline:
            time.sleep(0.02)
        return self.links()

    def ruleset(self) -> str:
        return self.host.run("nft list ruleset")
