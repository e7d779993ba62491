"""Sit at a container: connect the caller's streams and signals to it until it ends or the user detaches."""

from __future__ import annotations

from collections.abc import Container
from typing import TYPE_CHECKING

from jubako.cli import terminal
from jubako.cli.call import Call
from jubako.cli.failure import Exit
from jubako.cli.pump import STDERR, STDOUT, Pump, Signals

if TYPE_CHECKING:
    from jubako.cli.pump import Channel


class Session:
    """How one attachment is to behave; inside its `with` block signals are those of the container.

    `tty` is whether the container has a terminal; then the caller's, if it is one, goes into raw mode. `stdin` is
    whether the caller's input goes to the container. Without `proxy`, SIGTERM and SIGHUP end only this command.
    """

    def __init__(self, call: Call, *, tty: bool, stdin: bool, proxy: bool = True, keys: str | None = None) -> None:
        self.call = call
        self.tty = tty
        self.stdin = stdin
        self.proxy = proxy
        self.keys = terminal.parse_keys(terminal.DEFAULT_DETACH_KEYS if keys is None else keys)
        self.outputs = {STDOUT: call.streams.stdout, STDERR: call.streams.stderr}
        if tty and stdin and not call.is_terminal(call.streams.stdin):
            raise Exit(1, "the input device is not a TTY")

    def keep(self, streams: Container[str]) -> None:
        """Show only these of the container's streams (`run -a stdout`)."""
        if "stdout" not in streams:
            del self.outputs[STDOUT]
        if "stderr" not in streams and not self.tty:
            del self.outputs[STDERR]

    def __enter__(self) -> Session:
        self.signals = Signals(proxy=self.proxy, terminal=self._window()).__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self.signals.__exit__()

    def run(self, channel: Channel, *, redraw: bool = False) -> int | None:
        """Carry until the end; returns the exit code where the channel told it. Raises pump.Detached.

        `redraw` makes what runs in a terminal show itself anew, for a guest who comes later.
        """
        streams = self.call.streams
        pump = Pump(
            channel,
            self.outputs,
            stdin=streams.stdin if self.stdin else None,
            keys=self.keys if self.tty else b"",
        )
        with terminal.RawMode(streams.stdin if self.tty and self.stdin else None):
            self.signals.connect(channel, redraw=redraw)
            return pump.run()

    def _window(self) -> int | None:
        """The terminal whose size the container's follows."""
        if not self.tty:
            return None
        candidates = (self.call.streams.stdout, self.call.streams.stdin)
        return next((fd for fd in candidates if self.call.is_terminal(fd)), None)
