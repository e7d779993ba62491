"""The keeper's own loop: keep spares, note which calls they became, fork the next; end when nobody calls."""

from __future__ import annotations

import contextlib
import fcntl
import gc
import os
import select
import signal
import socket
import sys
import time
from typing import NoReturn

from jubako.cli.keeper import child, place, rehearsal, turns, warm
from jubako.cli.keeper.programs import PROGRAMS, Program
from jubako.cli.keeper.protocol import ReplyKind, send_reply
from jubako.cli.keeper.stale import Snapshot
from jubako.cli.keeper.touched import Touched

# Where the front leaves them, see executor/front/cold.c.
LOCK_FD, DIRECTORY_FD = 3, 4
IDLE_DEFAULT_S = 300.0
MAKE_ROOM_S = 60.0
LOOK_S = 30.0
# So many wait, so that of two calls in a row the second need not wait for a fork. The fork after a call waits a little,
# if somebody is left to take the next: it would slow that call down.
SPARES = 2
REST_S = 0.05
END_S = 1.0


class Keeper:
    """`children` by the pidfd that tells their end: (pid, connection), connection -1 for a spare.

    `spares` by the channel that tells what they became: their pidfds.
    """

    def __init__(self, program: Program, name: str, traits: int, idle_s: float, snapshot: Snapshot) -> None:
        self.program = program
        self.executor = warm.protect_executor()
        self.path = _beside(f"{name}.sock")
        self.traits = traits
        self.idle_s = idle_s
        self.gives_way = turns.give_way()
        self.snapshot = snapshot
        self.touched = Touched()
        self._sweep()
        self.listener, self.inode = self._listen()
        self.spares: dict[int, int] = {}
        self.children: dict[int, tuple[int, int]] = {}
        self.last_call = self.last_taken = time.monotonic()
        self.ending = False

    def _listen(self) -> tuple[int, int]:
        """Bind beside and rename: the name never stands for a socket that does not answer, and a stale one goes."""
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        fresh = f"{self.path}.new"
        with contextlib.suppress(FileNotFoundError):
            os.unlink(fresh)
        listener.bind(fresh)
        os.chmod(fresh, 0o600)
        listener.listen(1024)
        os.rename(fresh, self.path)
        return listener.detach(), os.stat(self.path).st_ino

    def _sweep(self) -> None:
        """Remove what killed keepers of installations that are gone left: files whose lock nobody holds."""
        for name in os.listdir(os.path.dirname(self.path)):
            if not name.startswith("keeper-") or not name.endswith(".lock"):
                continue
            with contextlib.suppress(OSError):
                lock = os.open(name, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW, dir_fd=DIRECTORY_FD)
                try:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    stem = name.removesuffix(".lock")
                    rehearsal.discard(_beside(f"{stem}.rehearsal"))
                    with contextlib.suppress(FileNotFoundError):
                        os.unlink(f"{stem}.sock", dir_fd=DIRECTORY_FD)
                    # Last: who locks a file of this name from now on may be a keeper with a socket of its own.
                    os.unlink(name, dir_fd=DIRECTORY_FD)
                finally:
                    os.close(lock)

    def run(self) -> None:
        try:
            while not self.ending:
                if self._rest_s() == 0:
                    self._fork_spare()
                self._wait()
        finally:
            if self._is_mine():
                os.unlink(self.path)
            if self.program.any_group():
                self._let_go()
                place.tidy()
            # Unlinked while it is still held: who locks this file from now on sees that it has no name.
            os.unlink(f"{self.path.removesuffix('.sock')}.lock")

    def _let_go(self) -> None:
        """Let the spares end, and wait a little for them and for calls that are all but over."""
        for channel in self.spares:
            os.close(channel)
        deadline = time.monotonic() + END_S
        for pidfd in self.children:
            poll = select.poll()
            poll.register(pidfd, select.POLLIN)
            poll.poll(max(0.0, deadline - time.monotonic()) * 1000)

    def _fork_spare(self) -> None:
        here, there = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        pid = os.fork()
        if pid == 0:
            try:
                self._become_spare(there.detach())
            finally:
                os._exit(1)
        there.close()
        pidfd = os.pidfd_open(pid)
        self.spares[here.detach()] = pidfd
        self.children[pidfd] = (pid, -1)

    def _rest_s(self) -> float:
        """How long until the next fork: no time, some, or (with all spares there) until something happens."""
        if not self.spares:
            return 0
        if len(self.spares) >= SPARES:
            return LOOK_S
        return max(0.0, self.last_taken + REST_S - time.monotonic())

    def _become_spare(self, channel: int) -> NoReturn:
        """Nothing of the keeper's stays open here: not its lock, and no connection of another call."""
        before = 2
        for fd in sorted([channel, self.listener, *warm.held(self.executor)]):
            os.closerange(before + 1, fd)
            before = fd
        os.closerange(before + 1, 1 << 30)
        gc.enable()
        child.Spare(
            self.program,
            self.listener,
            channel,
            self.executor,
            self.traits,
            self.snapshot,
            self.touched,
            gives_way=self.gives_way,
        ).run()

    def _wait(self) -> None:
        poll = select.poll()
        for fd in (*self.spares, *self.children):
            poll.register(fd, select.POLLIN)
        rest_s = self._rest_s()
        ready = [fd for fd, _event in poll.poll(min(rest_s, self.idle_s) * 1000)]
        for fd in ready:
            if fd in self.spares:
                self._spare_taken(fd)
        for fd in ready:
            if fd in self.children:
                self._reap(fd)
        calls = any(connection >= 0 for _pid, connection in self.children.values())
        idle = not calls and time.monotonic() - self.last_call >= self.idle_s
        self.ending = self.ending or idle or (not ready and rest_s == LOOK_S and not self._is_mine())

    def _spare_taken(self, channel_fd: int) -> None:
        """The spare has a connection: from now on it is a call, and this is the other end of it. Or it was killed."""
        pidfd = self.spares.pop(channel_fd)
        with socket.socket(fileno=channel_fd) as channel:
            try:
                _message, fds, _flags, _address = socket.recv_fds(channel, 1, 1)
            except OSError:
                return
        for connection in fds:
            self.children[pidfd] = (self.children[pidfd][0], connection)
            self.last_taken = time.monotonic()

    def _reap(self, pidfd: int) -> None:
        # What it sent just before its end may have come after the look at its channel.
        for channel_fd in [channel for channel, spare in self.spares.items() if spare == pidfd]:
            self._spare_taken(channel_fd)
        pid, connection = self.children.pop(pidfd)
        os.close(pidfd)
        _pid, status = os.waitpid(pid, 0)
        if connection >= 0:
            self._end_call(os.waitstatus_to_exitcode(status), connection)
        else:
            time.sleep(0.1)  # a spare that can not live must not make a storm of forks

    def _end_call(self, code: int, connection: int) -> None:
        now = time.monotonic()
        if code < 0:
            send_reply(connection, ReplyKind.KILLED, -code)
        os.close(connection)
        if code == child.REFUSED:
            # Nobody was served for a while, and who calls now lives in another context: make room for a keeper there.
            self.ending = now - self.last_call >= MAKE_ROOM_S
            return
        self.ending = code == child.STALE
        self.last_call = now

    def _is_mine(self) -> bool:
        try:
            return os.stat(self.path).st_ino == self.inode
        except OSError:
            return False


def _beside(name: str) -> str:
    """The path of a file beside the socket."""
    return f"/proc/self/fd/{DIRECTORY_FD}/{name}"


def _end(_number: int, _frame: object) -> NoReturn:
    raise SystemExit(0)


def run() -> NoReturn:
    """The front runs this with NAME TRAITS IDLE_SECONDS PROGRAM, holding the lock, with stdio on /dev/null."""
    name, traits, idle_s, command = sys.argv[1:5]
    program = PROGRAMS.get(command, PROGRAMS["jubako"])
    os.truncate(LOCK_FD, 0)
    os.write(LOCK_FD, f"{os.getpid()}\n".encode())
    gc.disable()
    if program.any_group():
        place.leave()
    warm.import_all(program)
    snapshot = Snapshot()
    for _ in range(rehearsal.ROUNDS):
        child.rehearse()
    rehearsal.rehearse(program.rehearse, _beside(f"{name}.rehearsal"))
    gc.collect()
    gc.freeze()
    signal.signal(signal.SIGTERM, _end)
    Keeper(program, name, int(traits), _seconds(idle_s), snapshot).run()
    os._exit(0)


def _seconds(text: str) -> float:
    """What the caller's JUBAKO_KEEPER_IDLE says, if it says anything."""
    try:
        return max(0.0, float(text))
    except ValueError:
        return IDLE_DEFAULT_S
