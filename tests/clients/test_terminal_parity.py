"""Sitting at a container: docker and jubako answer the same keys, signals and window sizes in the same way."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import shlex
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import pytest

pytestmark = [pytest.mark.clients, pytest.mark.root]

LIMITS = shlex.join(["--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1024:1024"])
READY = "echo ready; "
LOOP = "while :; do sleep 0.1; done"
PATIENCE_S = 30
DETACH = b"\x10\x11"

Act = bytes | Callable[["Terminal"], None]


class Terminal:
    """One program at a terminal of its own."""

    def __init__(self, argv: Sequence[str], height: int = 30, width: int = 100) -> None:
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.execvp(argv[0], argv)
        self.resize(height, width)
        self.before = termios.tcgetattr(self.fd)
        self.written = b""

    def resize(self, height: int, width: int) -> None:
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", height, width, 0, 0))

    def await_text(self, text: bytes) -> None:
        """Read until `text` has come after what was awaited before."""
        end = time.monotonic() + PATIENCE_S
        start = len(self.written)
        while text not in self.written[start:]:
            assert time.monotonic() < end, f"no {text!r} in {self.written!r}"
            assert self._read(), f"ended without {text!r}: {self.written!r}"

    def _read(self) -> bool:
        if not select.select([self.fd], [], [], 0.2)[0]:
            return True
        try:
            data = os.read(self.fd, 65536)
        except OSError:
            return False
        self.written += data
        return bool(data)

    def end(self) -> int:
        """Read to the end; returns the exit code (128 + n for a signal)."""
        end = time.monotonic() + PATIENCE_S
        while self._read():
            assert time.monotonic() < end, f"does not end: {self.written!r}"
        code = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        return code if code >= 0 else 128 - code

    def close(self) -> None:
        os.close(self.fd)


class Ended(NamedTuple):
    code: int
    text: bytes


class Program:
    def __init__(self, argv: Sequence[str]) -> None:
        self.argv = list(argv)

    def quietly(self, line: str) -> None:
        subprocess.run([*self.argv, *shlex.split(line)], capture_output=True, timeout=60, stdin=subprocess.DEVNULL)

    def at_terminal(self, line: str, *steps: tuple[bytes, Act]) -> Ended:
        """Run the line; after each awaited text type the keys or do the act."""
        terminal = Terminal([*self.argv, *shlex.split(line)])
        try:
            for text, act in steps:
                terminal.await_text(text)
                if isinstance(act, bytes):
                    os.write(terminal.fd, act)
                else:
                    act(terminal)
            return Ended(terminal.end(), terminal.written)
        finally:
            terminal.close()


@pytest.fixture(scope="module", params=["docker", "jubako"])
def program(request, docker, state, tmp_path_factory) -> Program:  # type: ignore[no-untyped-def]
    if request.param == "docker":
        archive = tmp_path_factory.mktemp("terminal") / "busybox.tar"
        state("save", "-o", str(archive), "busybox")
        docker("load", "-i", str(archive))
    return Program(docker.argv if request.param == "docker" else state.argv)


@pytest.fixture
def sitting(program: Program) -> Iterator[Program]:
    """A container called `seat` that a test may make; it is removed."""
    yield program
    program.quietly("rm -f seat")


def kill(number: int) -> Act:
    return lambda terminal: os.kill(terminal.pid, number)


def test_the_window_s_size_and_its_changes_reach_the_container(program: Program) -> None:
    script = "trap 'stty size' WINCH; stty size; " + READY + "read x; read y; stty size; echo changed"
    ended = program.at_terminal(
        f"run --rm -it {LIMITS} busybox sh -c {shlex.quote(script)}",
        (b"ready", lambda terminal: terminal.resize(40, 50)),
        (b"40 50", b"\r\r"),
    )
    assert ended.code == 0
    assert b"40 50" in ended.text


def test_control_c_at_a_terminal_goes_to_the_container_s_process(program: Program) -> None:
    script = "trap 'echo got; exit 9' INT; " + READY + LOOP
    ended = program.at_terminal(f"run --rm -it {LIMITS} busybox sh -c {shlex.quote(script)}", (b"ready", b"\x03"))
    assert ended.code == 9
    assert b"got" in ended.text


@pytest.mark.parametrize("key", [b"\x03", b"\x1c"])
def test_keys_that_signal_are_passed_on_without_a_terminal_too(program: Program, key: bytes) -> None:
    script = "trap 'echo got; exit 9' INT QUIT; " + READY + LOOP
    ended = program.at_terminal(f"run --rm -i {LIMITS} busybox sh -c {shlex.quote(script)}", (b"ready", key))
    assert ended.code == 9


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGUSR1, signal.SIGHUP])
def test_signals_to_the_command_are_passed_on(program: Program, number: int) -> None:
    script = f"trap 'echo got; exit 9' {number}; " + READY + LOOP
    ended = program.at_terminal(f"run --rm -it {LIMITS} busybox sh -c {shlex.quote(script)}", (b"ready", kill(number)))
    assert ended.code == 9


def test_the_end_of_input_ends_cat(program: Program) -> None:
    ended = program.at_terminal(f"run --rm -it {LIMITS} busybox cat", (b"", b"hi\r"), (b"hi\r\nhi\r\n", b"\x04"))
    assert ended.code == 0


def test_detaching_leaves_the_container_and_attaching_finds_it(sitting: Program) -> None:
    script = READY + "read x; echo $x; read y; exit 7"
    ended = sitting.at_terminal(f"run --name seat -it {LIMITS} busybox sh -c {shlex.quote(script)}", (b"ready", DETACH))
    assert ended.code == 0
    ended = sitting.at_terminal("attach seat", (b"", b"typed\r"), (b"typed\r\ntyped", DETACH))
    assert ended.code == 1
    assert ended.text.endswith(b"read escape sequence\r\n")
    ended = sitting.at_terminal("attach seat", (b"", b"\r"))
    assert ended.code == 7


def test_other_detach_keys_and_half_a_sequence(sitting: Program) -> None:
    script = READY + "read x; echo got $x; " + LOOP
    ended = sitting.at_terminal(
        f"run --name seat -it --detach-keys a,b {LIMITS} busybox sh -c {shlex.quote(script)}",
        (b"ready", b"ac\r"),
        (b"got ac", b"ab"),
    )
    assert ended.code == 0


def test_start_ai_sits_at_a_stopped_container(sitting: Program) -> None:
    script = READY + "read x; exit $x"
    sitting.quietly(f"create --name seat -it {LIMITS} busybox sh -c {shlex.quote(script)}")
    assert sitting.at_terminal("start -ai seat", (b"ready", b"5\r")).code == 5
    assert sitting.at_terminal("start -ai seat", (b"ready", DETACH)).code == 0


def test_exec_has_a_terminal_of_its_own(sitting: Program) -> None:
    sitting.quietly(f"run -d --name seat {LIMITS} busybox sleep 1000")
    ended = sitting.at_terminal("exec -it seat sh -c 'echo ready; read x; tty; stty size; exit 3'", (b"ready", b"\r"))
    assert ended.code == 3
    # dockerd 20.10 may lose the size that its client sends before the process has started.
    assert b"30 100" in ended.text or (sitting.argv[0] == "docker" and b"/dev/pts/0" in ended.text)
    ended = sitting.at_terminal("exec -it seat sh -c 'echo ready; cat'", (b"ready", DETACH))
    assert ended.code == 1
    assert ended.text.endswith(b"read escape sequence\r\n")


@pytest.mark.parametrize("how", ["ends", "detaches", "is killed"])
def test_the_terminal_is_put_back_whatever_happens(sitting: Program, how: str) -> None:
    script = shlex.quote("trap 'exit 4' TERM; echo ready; read x; sleep 0.1")
    around = 'before=$(stty -g); "$@"; [ "$(stty -g)" = "$before" ] && echo unchanged'
    line = shlex.split(f"run --name seat -it {LIMITS} busybox sh -c {script}")
    terminal = Terminal(["sh", "-c", around, "sh", *sitting.argv, *line])
    terminal.await_text(b"ready")
    if how == "is killed":
        subprocess.run(["pkill", "-TERM", "-P", str(terminal.pid)], check=True)
        os.write(terminal.fd, b"\r")
    else:
        os.write(terminal.fd, b"\r" if how == "ends" else DETACH)
    terminal.end()
    terminal.close()
    assert terminal.written.endswith(b"unchanged\r\n")
