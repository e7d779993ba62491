"""The network of an ordinary user's RUN: pasta's way out, none, or the host's."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import suppress

import pytest
from tests.waiting import until

from .conftest import HEAD, HERE, OUTSIDE, PORT, User, processes

pytestmark = pytest.mark.root


def made(user: User, command: str, *options: str) -> str:
    user.dockerfile(f"{HEAD}RUN {command}\n")
    return user("build", "--progress", "plain", *options, str(user.context))


def test_a_command_reaches_what_lies_outside(user: User, outside: str) -> None:
    said = made(user, f"wget -q -O- {outside}; ip -o -4 addr; cat /etc/resolv.conf")
    assert "from outside" in said
    assert f"inet {HERE}/24" in said
    assert "nameserver 169.254.1.1" in said
    until(lambda: not processes(user, "pasta"), "pasta is left")
    assert list((user.runtime / "jubako/build").iterdir()) == []


def test_the_hosts_loopback_is_not_reached(user: User, outside: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        addresses = ("127.0.0.1", OUTSIDE, "169.254.1.1", HERE)
        asked = "; ".join(f"nc -w 2 {address} {port} </dev/null && echo $((1+1))-{address}" for address in addresses)
        said = made(user, f"nc -w 2 {OUTSIDE} {PORT} </dev/null && echo $((1+1))-control; {asked}; true")
    assert [word for word in said.split() if word.startswith("2-")] == ["2-control"]


@pytest.fixture
def name_server(user: User) -> Iterator[None]:
    """On the host's loopback, as local stubs are; it answers everything with 192.0.2.7."""
    user.etc["resolv.conf"] = "nameserver 127.0.0.1\n"
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 53))
        server.settimeout(60)
        thread = threading.Thread(target=_answer, args=(server,), daemon=True)
        thread.start()
        yield
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as last:
            last.sendto(b"", ("127.0.0.1", 53))
        thread.join(60)


def _answer(server: socket.socket) -> None:
    with suppress(OSError):
        while True:
            question, peer = server.recvfrom(512)
            if not question:
                return
            end = question.index(b"\0", 12) + 5
            has_address = question[end - 4 : end - 2] == b"\0\1"
            answer = b"\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4\xc0\0\2\7" if has_address else b""
            count = b"\0\1" if answer else b"\0\0"
            server.sendto(question[:2] + b"\x81\x80\0\1" + count + b"\0\0\0\0" + question[12:end] + answer, peer)


def test_names_are_resolved_by_the_hosts_name_server(user: User, outside: str, name_server: None) -> None:
    assert "192.0.2.7" in made(user, "nslookup somewhere.example")


def test_none_has_the_loopback_alone(user: User) -> None:
    said = made(user, "ip -o link | wc -l; ls /sys/class/net", "--network", "none")
    assert "lo" in said
    assert not processes(user, "pasta")


def test_the_hosts_network_is_the_hosts(user: User, outside: str) -> None:
    said = made(user, f"ip -o link; wget -q -O- {outside}; ls /sys", "--network", "host")
    assert "way-out" in said
    assert "from outside" in said


def test_without_pasta_it_is_told_what_to_do(user: User, outside: str) -> None:
    user.etc["../usr/bin/pasta"] = "not to be executed"
    user.dockerfile(f"{HEAD}RUN true\n")
    done = user.run("build", str(user.context))
    assert done.returncode == 1
    assert "needs pasta, which is not installed" in done.stdout
    assert "apt-get install passt, or --network none" in done.stdout


def test_a_machine_without_a_way_out_is_told(user: User, tun: None) -> None:
    user.dockerfile(f"{HEAD}RUN true\n")
    done = user.run("build", str(user.context))
    if done.returncode:  # newer ones make a network of the container's own
        assert "pasta failed: " in done.stdout
        assert "`--network none` and `--network host` do without" in done.stdout
    assert list((user.runtime / "jubako/build").iterdir()) == []


def test_no_address_stands_for_the_host(user: User) -> None:
    user.dockerfile(f"{HEAD}RUN true\n")
    done = user.run("build", "--add-host", "h:host-gateway", str(user.context))
    assert done.returncode == 1
    assert "no address leads from an ordinary user's container to this machine itself" in done.stdout
