from __future__ import annotations

import os
import select
import signal
import socket
import struct
import threading

import pytest

from jubako.cli.failure import Exit
from jubako.cli.pump import EXITED, STDERR, STDOUT, Detached, Pump, Signals

KEYS = b"\x10\x11"


class Frame:
    def __init__(self, kind: int, data: bytes) -> None:
        self.kind = kind
        self.data = data


class Channel:
    """The caller's half of a connection; the test plays the container at `peer`."""

    def __init__(self) -> None:
        self.socket, self.peer = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.told: list[tuple[object, ...]] = []

    pending = False

    def fileno(self) -> int:
        return self.socket.fileno()

    def read(self, timeout_s: float | None = None) -> Frame | None:
        packet = self.socket.recv(65536)
        return Frame(packet[0], packet[1:]) if packet else None

    def write(self, data: bytes) -> None:
        self.socket.send(data)

    def close_stdin(self) -> None:
        self.told.append(("close_stdin",))
        self.socket.shutdown(socket.SHUT_WR)

    def resize(self, height: int, width: int) -> None:
        self.told.append(("resize", height, width))

    def signal(self, number: int) -> None:
        self.told.append(("signal", number))

    def send(self, kind: int, data: bytes) -> None:
        self.peer.send(bytes([kind]) + data)

    def end(self, code: int) -> None:
        self.send(EXITED, struct.pack("=I", code))
        self.peer.shutdown(socket.SHUT_WR)


@pytest.fixture
def channel():
    made = Channel()
    yield made
    made.socket.close()
    made.peer.close()


@pytest.fixture
def pipes():
    ends = [os.pipe() for _ in range(3)]
    yield ends
    for fd in {fd for pair in ends for fd in pair}:
        try:
            os.close(fd)
        except OSError:
            continue


def outputs(pipes):
    return {STDOUT: pipes[0][1], STDERR: pipes[1][1]}


def test_output_is_kept_apart_and_exact_and_the_exit_code_is_returned(channel, pipes):
    data = bytes(range(256)) * 4
    channel.send(STDOUT, data)
    channel.send(STDERR, b"oops")
    channel.send(STDOUT, b"end")
    channel.end(3)
    assert Pump(channel, outputs(pipes)).run() == 3
    assert os.read(pipes[0][0], 65536) == data + b"end"
    assert os.read(pipes[1][0], 65536) == b"oops"


def test_a_stream_that_is_not_wanted_is_dropped(channel, pipes):
    channel.send(STDOUT, b"out")
    channel.send(STDERR, b"err")
    channel.end(0)
    assert Pump(channel, {STDERR: pipes[1][1]}).run() == 0
    assert os.read(pipes[1][0], 65536) == b"err"


def test_a_connection_that_just_ends_has_no_exit_code(channel, pipes):
    channel.peer.shutdown(socket.SHUT_WR)
    assert Pump(channel, outputs(pipes)).run() is None


def test_input_arrives_and_its_end_is_told_once_while_output_goes_on(channel, pipes):
    os.write(pipes[2][1], b"hello")
    os.close(pipes[2][1])
    pump = Pump(channel, outputs(pipes), stdin=pipes[2][0])
    container = threading.Thread(target=_cat, args=(channel,))
    container.start()
    assert pump.run() == 0
    container.join()
    assert os.read(pipes[0][0], 100) == b"hello"
    assert channel.told == [("close_stdin",)]


def _cat(channel: Channel) -> None:
    while data := channel.peer.recv(65536):
        channel.send(STDOUT, data)
    channel.end(0)


def test_much_data_passes_both_ways_at_once_with_slow_readers(channel, pipes):
    sent = os.urandom(3_000_000)
    received = bytearray()

    def write() -> None:
        view = memoryview(sent)
        while view:
            view = view[os.write(pipes[2][1], view[:50_000]) :]
        os.close(pipes[2][1])

    def read() -> None:
        while data := os.read(pipes[0][0], 3_000):
            received.extend(data)

    threads = [threading.Thread(target=work) for work in (write, read)]
    threads.append(threading.Thread(target=_cat, args=(channel,)))
    for thread in threads:
        thread.start()
    assert Pump(channel, outputs(pipes), stdin=pipes[2][0]).run() == 0
    os.close(pipes[0][1])
    for thread in threads:
        thread.join()
    assert bytes(received) == sent


def test_detach_keys_leave_and_pass_on_what_came_before(channel, pipes):
    os.write(pipes[2][1], b"ls\x10\x11")
    with pytest.raises(Detached):
        Pump(channel, outputs(pipes), stdin=pipes[2][0], keys=KEYS).run()
    assert channel.peer.recv(100) == b"ls"


def test_a_reader_that_left_is_reported_as_docker_does(channel, pipes):
    os.close(pipes[0][0])
    channel.send(STDOUT, b"x")
    with pytest.raises(Exit, match="write /dev/stdout: broken pipe") as caught:
        Pump(channel, outputs(pipes)).run()
    assert caught.value.code == 1


def test_input_for_a_container_that_closed_its_own_is_dropped(channel, pipes):
    channel.end(0)
    channel.peer.shutdown(socket.SHUT_RD)
    os.write(pipes[2][1], b"too late")
    assert Pump(channel, outputs(pipes), stdin=pipes[2][0]).run() == 0


def test_signals_are_forwarded_and_the_handlers_put_back(channel):
    before = signal.getsignal(signal.SIGUSR1)
    with Signals(proxy=True, terminal=None) as signals:
        signals.connect(channel)
        os.kill(os.getpid(), signal.SIGUSR1)
        os.kill(os.getpid(), signal.SIGTERM)
        _settle()
    assert channel.told == [("signal", signal.SIGUSR1), ("signal", signal.SIGTERM)]
    assert signal.getsignal(signal.SIGUSR1) == before


def test_signals_that_come_before_the_container_runs_reach_it_later(channel):
    with Signals(proxy=True, terminal=None) as signals:
        signal.raise_signal(signal.SIGTERM)
        assert channel.told == []
        signals.connect(channel)
    assert channel.told == [("signal", signal.SIGTERM)]


def test_without_proxy_a_termination_leaves_with_its_code(channel):
    with pytest.raises(Exit) as caught, Signals(proxy=False, terminal=None):
        signal.raise_signal(signal.SIGTERM)
    assert caught.value.code == 128 + signal.SIGTERM
    assert channel.told == []


def test_a_resized_window_is_told_to_the_container(channel):
    import fcntl
    import termios

    master, slave = os.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 10, 20, 0, 0))
    with Signals(proxy=True, terminal=slave) as signals:
        signals.connect(channel)
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 40, 0, 0))
        os.kill(os.getpid(), signal.SIGWINCH)
        _settle()
    assert channel.told == [("resize", 10, 20), ("resize", 30, 40)]
    os.close(master)
    os.close(slave)


def _settle() -> None:
    """Let pending signals reach their handlers."""
    select.select([], [], [], 0)
