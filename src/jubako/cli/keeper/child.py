"""The spare: a forked child that waits for a connection and becomes the call that comes over it."""

from __future__ import annotations

import contextlib
import fcntl
import os
import select
import signal
import socket
import struct
import sys
from typing import NoReturn

from jubako._invoke import invoke
from jubako.cli.keeper import adopt, context, front, turns, warm
from jubako.cli.keeper.programs import Program
from jubako.cli.keeper.protocol import HEADER, MAGIC, ReplyKind, Request, receive_request, send_reply
from jubako.cli.keeper.stale import Snapshot
from jubako.cli.keeper.touched import Touched

F_SETSIG = 10  # linux/fcntl.h
PATIENCE_S = 2.0
DONE, REFUSED, STALE = 0, 3, 4
ENDINGS = {"stale": STALE, "command": DONE}


class Spare:
    """One child, before and while it is a call. `channel` leads to the keeper and ends when the keeper does.

    `executor` is an fd of the executor's protected binary, or -1.
    """

    def __init__(
        self,
        program: Program,
        listener: int,
        channel: int,
        executor: int,
        traits: int,
        snapshot: Snapshot,
        touched: Touched,
        *,
        gives_way: bool,
    ) -> None:
        self.program = program
        self.listener = socket.socket(fileno=listener)
        self.channel = socket.socket(fileno=channel)
        self.executor = executor
        self.traits = traits
        self.snapshot = snapshot
        self.touched = touched
        self.gives_way = gives_way
        self.own = context.Context(os.getpid())

    def run(self) -> NoReturn:
        os.setsid()
        adopt.reset_signals()
        connection = self._accept()
        if self.gives_way:
            turns.take_turn()
        self.touched.begin()
        try:
            caller = context.caller_of(connection)
            request = receive_request(connection)
            self._check(caller, request)
            self._tell_keeper(connection)
            end = self._adopt(connection, request, caller)
        except context.Differs as why:
            self._tell_keeper(connection)
            send_reply(connection.fileno(), ReplyKind.COLD, 0)
            os._exit(ENDINGS.get(str(why), REFUSED))
        except (OSError, EOFError, ValueError):
            self._tell_keeper(connection)
            os._exit(REFUSED)
        _run_call(self.program, end, request, caller.groups)
        with contextlib.suppress(OSError):
            self.touched.learn()
        os._exit(DONE)

    def _accept(self) -> socket.socket:
        """Wait for a call; end with the keeper, but not before the calls that had reached its socket."""
        poll = select.epoll()
        poll.register(self.listener, select.EPOLLIN | select.EPOLLEXCLUSIVE)  # a call wakes one of the spares
        poll.register(self.channel, select.EPOLLIN)
        self.listener.setblocking(False)
        self.touched.prefault(lambda: bool(poll.poll(0)))
        while True:
            ready = {fd for fd, _event in poll.poll()}
            try:
                connection, _address = self.listener.accept()
                break
            except BlockingIOError:
                if self.channel.fileno() in ready:
                    os._exit(DONE)
        poll.close()
        send_reply(connection.fileno(), ReplyKind.HELLO, 0)
        connection.settimeout(PATIENCE_S)
        self.listener.close()
        return connection

    def _tell_keeper(self, connection: socket.socket) -> None:
        """The keeper keeps the connection too, to report a death by signal, and forks the next spare."""
        with contextlib.suppress(OSError):  # told already, or it was killed: the call goes on
            socket.send_fds(self.channel, [b"\1"], [connection.fileno()], socket.MSG_NOSIGNAL)
        self.channel.close()

    def _check(self, caller: context.Context, request: Request) -> None:
        self.own.refresh()
        context.require_same(caller, self.own, any_group=self.program.any_group())
        if request.traits != self.traits:
            raise context.Differs("traits")
        if warm.runs_cold(self.program, request.arguments):
            raise context.Differs("command")
        if self.snapshot.changed():
            raise context.Differs("stale")

    def _adopt(self, connection: socket.socket, request: Request, caller: context.Context) -> int:
        """Become the caller's process; return the connection, which may have another number then."""
        adopt.adopt_directory(request.cwd)
        end, *rest = adopt.adopt_files(request.fds, [connection.detach(), *warm.held(self.executor)])
        warm.hold(rest)
        try:
            context.adopt_limits(caller, self.own)
            context.adopt_oom_score(caller, self.own)
        except context.Differs:
            send_reply(end, ReplyKind.COLD, 0)
            os._exit(REFUSED)
        os.umask(caller.umask)
        adopt.adopt_environment(request.environment)
        adopt.adopt_stdio()
        adopt.adopt_signals(caller.ignored, request.blocked)
        return end


def rehearse() -> None:
    """Go through what each call does, so that the interpreter has the bytecode specialised before the first fork.

    Stdio is the null device here, before and after.
    """
    here, there = socket.socketpair()
    with here, there:
        here.settimeout(PATIENCE_S)
        null = os.open("/dev/null", os.O_RDWR | os.O_CLOEXEC)
        body = struct.pack("=3i", 0, 1, 2) + b"jubako\0version\0HOME=/\0PATH=/bin\0TERM=dumb\0"
        header = HEADER.pack(MAGIC, len(body), 2, 3, 3, 0, 0, 0)
        socket.send_fds(there, [header + body], [null, null, null, null])
        os.close(null)
        request = receive_request(here)
        caller = context.Context(os.getpid())
        context.require_same(caller, caller)
        os.close(request.cwd)
        adopt.adopt_files(request.fds, [0])
        adopt.adopt_environment(request.environment)
        adopt.adopt_stdio()
        adopt.adopt_signals(caller.ignored, 0)
        send_reply(there.fileno(), ReplyKind.HELLO, 0)


def _run_call(program: Program, end: int, request: Request, groups: str) -> None:
    os.set_blocking(end, True)
    _hang_up_with(end, program.hang_up)
    if signal.getsignal(signal.SIGTSTP) is signal.SIG_DFL:
        # Nobody is left to continue a stopped group of this session, so the kernel would ignore the stop: the front,
        # which has a shell, is asked to stop both.
        signal.signal(signal.SIGTSTP, lambda _number, _frame: _ask_for_stop(end))
    pidfd = os.pidfd_open(os.getpid())
    if not send_reply(end, ReplyKind.ACCEPTED, os.getpid(), fds=[pidfd]):
        os._exit(DONE)
    os.close(pidfd)
    sys.argv = [program.name, *request.arguments]
    with front.as_parent(end, groups) if program.by_front else contextlib.nullcontext():
        status = invoke(program.main, request.arguments)
    _report(end, status)


def _ask_for_stop(end: int) -> None:
    send_reply(end, ReplyKind.STOP, 0)


def _hang_up_with(end: int, signals: tuple[int, int]) -> None:
    """Have the kernel send the first of `signals` when the front's end closes: it was killed, or its terminal hung up.

    The second is for a call that ignores the first.
    """
    first, second = signals
    ignored = signal.getsignal(first) is signal.SIG_IGN
    fcntl.fcntl(end, fcntl.F_SETOWN, os.getpid())
    fcntl.fcntl(end, F_SETSIG, second if ignored else first)
    fcntl.fcntl(end, fcntl.F_SETFL, fcntl.fcntl(end, fcntl.F_GETFL) | os.O_ASYNC)


def _report(end: int, status: int) -> None:
    """Let go of all that the caller may wait for (locks, pipes), then give the status."""
    fcntl.fcntl(end, fcntl.F_SETFL, fcntl.fcntl(end, fcntl.F_GETFL) & ~os.O_ASYNC)
    os.closerange(0, end)
    os.closerange(end + 1, 1 << 30)
    if status >= 0:
        send_reply(end, ReplyKind.EXITED, status & 0xFF)
    else:
        send_reply(end, ReplyKind.KILLED, -status)
    os.close(end)
