"""The keeper's own loop: fork a spare, note which call it became, fork the next; end when nobody calls."""

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

from jubako.cli.keeper import child, rehearsal, turns, warm
from jubako.cli.keeper.protocol import ReplyKind, send_reply
from jubako.cli.keeper.stale import Snapshot
from jubako.cli.keeper.touched import Touched

# Where the front leaves them, see executor/front/cold.c.
LOCK_FD, DIRECTORY_FD = 3, 4
IDLE_DEFAULT_S = 300.0
MAKE_ROOM_S = 60.0
LOOK_S = 30.0


class Keeper:
    """Children by the pidfd that tells their end: (pid, connection), connection -1 for the spare."""

    def __init__(self, name: str, traits: int, idle_s: float) -> None:
        self.path = _beside(f"{name}.sock")
        self.traits = traits
        self.idle_s = idle_s
        self.gives_way = turns.give_way()
        self.snapshot = Snapshot()
        self.touched = Touched()
        self._sweep()
        self.listener, self.inode = self._listen()
        self.channel = -1
        self.spare = -1
        self.children: dict[int, tuple[int, int]] = {}
        self.last_call = time.monotonic()
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
                    os.unlink(name, dir_fd=DIRECTORY_FD)
                    stem = name.removesuffix(".lock")
                    rehearsal.discard(_beside(f"{stem}.rehearsal"))
                    os.unlink(f"{stem}.sock", dir_fd=DIRECTORY_FD)
                finally:
                    os.close(lock)

    def run(self) -> None:
        try:
            while not self.ending:
                if self.channel < 0:
                    self._fork_spare()
                self._wait()
        finally:
            if self._is_mine():
                os.unlink(self.path)
            # Unlinked while it is still held: who locks this file from now on sees that it has no name.
            os.unlink(f"{self.path.removesuffix('.sock')}.lock")

    def _fork_spare(self) -> None:
        here, there = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        pid = os.fork()
        if pid == 0:
            try:
                self._become_spare(there.detach())
            finally:
                os._exit(1)
        there.close()
        self.channel = here.detach()
        self.spare = os.pidfd_open(pid)
        self.children[self.spare] = (pid, -1)

    def _become_spare(self, channel: int) -> NoReturn:
        """Nothing of the keeper's stays open here: not its lock, and no connection of another call."""
        low, high = sorted((channel, self.listener))
        os.closerange(3, low)
        os.closerange(low + 1, high)
        os.closerange(high + 1, 1 << 30)
        gc.enable()
        child.Spare(self.listener, channel, self.traits, self.snapshot, self.touched, gives_way=self.gives_way).run()

    def _wait(self) -> None:
        poll = select.poll()
        for fd in (self.channel, *self.children):
            poll.register(fd, select.POLLIN)
        ready = [fd for fd, _event in poll.poll(min(LOOK_S, self.idle_s) * 1000)]
        if self.channel in ready:
            self._spare_taken()
        for fd in ready:
            if fd in self.children:
                self._reap(fd)
        calls = any(connection >= 0 for _pid, connection in self.children.values())
        idle = not calls and time.monotonic() - self.last_call >= self.idle_s
        self.ending = self.ending or idle or (not ready and not self._is_mine())

    def _spare_taken(self) -> None:
        """The spare has a connection: from now on it is a call, and these are its pid and the other end of it."""
        channel = socket.socket(fileno=self.channel)
        self.channel = -1
        with channel:
            try:
                _message, fds, _flags, _address = socket.recv_fds(channel, 1, 1)
            except OSError:
                return
        # A spare that was killed may stand here too, not reaped yet: the connection is the newest one's.
        for connection in fds:
            self.children[self.spare] = (self.children[self.spare][0], connection)

    def _reap(self, pidfd: int) -> None:
        pid, connection = self.children.pop(pidfd)
        os.close(pidfd)
        _pid, status = os.waitpid(pid, 0)
        if connection >= 0:
            self._end_call(os.waitstatus_to_exitcode(status), connection)
        elif pidfd == self.spare and self.channel >= 0:
            os.close(self.channel)
            self.channel = -1
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
    """The front runs this with NAME TRAITS IDLE_SECONDS, holding the lock, with stdio on /dev/null."""
    name, traits, idle_s = sys.argv[1:4]
    os.truncate(LOCK_FD, 0)
    os.write(LOCK_FD, f"{os.getpid()}\n".encode())
    gc.disable()
    warm.import_all()
    for _ in range(rehearsal.ROUNDS):
        child.rehearse()
    rehearsal.rehearse(_beside(f"{name}.rehearsal"))
    gc.collect()
    gc.freeze()
    signal.signal(signal.SIGTERM, _end)
    Keeper(name, int(traits), _seconds(idle_s)).run()
    os._exit(0)


def _seconds(text: str) -> float:
    """What the caller's JUBAKO_KEEPER_IDLE says, if it says anything."""
    try:
        return max(0.0, float(text))
    except ValueError:
        return IDLE_DEFAULT_S
