"""Stands in for jubako.cli in the trees that these tests install: small commands that show what a call is given."""

# ruff: noqa: T201, SIM115 - it prints, and is over before a file left open matters

from __future__ import annotations

import json
import os
import resource
import signal
import sys
import termios
import time
import tty

VERSION = "one"


def main(argv: list[str], *, ending: bool) -> int:
    command, *rest = argv[2:] if argv[0] == "--root" else argv
    code: int | None = globals()[f"do_{command}"](*rest)
    return code or 0


def do_version() -> None:
    print(VERSION)


def do_state(*extra: str) -> None:
    """Print all that a process inherits."""
    print(
        json.dumps(
            {
                "pid": os.getpid(),
                "parent": os.getppid(),
                "arguments": sys.argv,
                "extra": extra,
                "environment": dict(os.environ),
                "cwd": os.getcwd(),
                "umask": os.umask(0),
                "nofile": resource.getrlimit(resource.RLIMIT_NOFILE),
                "ignored": [n for n in signal.valid_signals() if signal.getsignal(n) == signal.SIG_IGN],
                "blocked": sorted(signal.pthread_sigmask(signal.SIG_BLOCK, [])),
                "fds": sorted(int(fd) for fd in os.listdir("/proc/self/fd") if os.path.exists(f"/proc/self/fd/{fd}")),
                "terminals": [os.isatty(fd) for fd in (0, 1, 2)],
                "cgroup": open("/proc/self/cgroup").read(),
                "nice": os.nice(0),
                "uid": os.getuid(),
                "time": time.strftime("%Z", time.localtime(0)),
            }
        )
    )


do_login = do_registry = do_state


def do_exit(code: str) -> int:
    return int(code)


def do_raise(code: str) -> int:
    raise SystemExit(int(code) if code.isdigit() else code)


def do_fail() -> int:
    raise RuntimeError("as asked")


def do_die(number: str) -> None:
    os.kill(os.getpid(), int(number))


def do_cat() -> None:
    while data := os.read(0, 1 << 16):
        view = memoryview(data)
        while view:
            view = view[os.write(1, view) :]


def do_read(path: str) -> None:
    print(open(path).read(), end="")


def do_flood() -> None:
    for number in range(1_000_000):
        print(number)


def do_wait(path: str = "", seconds: str = "30") -> None:
    """Say that it runs, then wait; write how it ended into `path`."""
    print("ready", os.getpid(), flush=True)
    try:
        time.sleep(float(seconds))
    finally:
        note(path, "left")


def do_signals(path: str, *numbers: str) -> None:
    """Write each signal that arrives into `path`; the last of `numbers` ends."""
    wanted = [int(number) for number in numbers]
    for number in wanted:
        signal.signal(number, lambda *_: None)
    signal.pthread_sigmask(signal.SIG_BLOCK, wanted)
    print("ready", os.getpid(), flush=True)
    while True:
        got = signal.sigwait(wanted)
        note(path, f"{int(got)}\n")
        if got == wanted[-1]:
            return


def do_interrupt() -> int:
    try:
        print("ready", flush=True)
        time.sleep(30)
    except KeyboardInterrupt:
        print("interrupted", flush=True)
        return 42
    return 0


def do_sizes() -> None:
    """Print the window's size at first and at each change, until a line comes."""

    def show(*_: object) -> None:
        size = os.get_terminal_size(0)
        os.write(1, f"size {size.lines} {size.columns}\n".encode())

    signal.signal(signal.SIGWINCH, show)
    show()
    sys.stdin.readline()


def do_raw() -> None:
    """Put the terminal in raw mode and echo each byte as a number, until `q`."""
    modes = termios.tcgetattr(0)
    tty.setraw(0)
    try:
        os.write(1, b"in raw mode\r\n")
        while (key := os.read(0, 1)) not in (b"q", b""):
            os.write(1, f"<{key[0]}>".encode())
    finally:
        termios.tcsetattr(0, termios.TCSADRAIN, modes)


def do_lines() -> None:
    """Answer each line; at the end of input say so."""
    print("ready", flush=True)
    for line in sys.stdin:
        print(f"got {line.strip()}", flush=True)
    print("end", flush=True)


def do_count(path: str) -> None:
    """Write a growing number until told otherwise: it stands still while the process is stopped."""
    print("ready", os.getpid(), flush=True)
    for number in range(3000):
        with open(path, "w") as file:
            file.write(str(number))
        time.sleep(0.01)


def note(path: str, text: str) -> None:
    if path:
        with open(path, "a") as file:
            file.write(text)
