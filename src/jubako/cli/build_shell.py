"""`build --debug`: the terminal at a shell where a RUN has failed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jubako.cli.call import Call
from jubako.cli.options import FLAG, Arguments, Option

if TYPE_CHECKING:
    from jubako.build import CommandFailed
    from jubako.build.graph.execute import Debug
    from jubako.runtime.attach import Attached

DEBUG = Option("debug", "D", FLAG, "Open a shell where a RUN fails, when there is a terminal")


def failure_shell(call: Call, arguments: Arguments) -> Debug | None:
    """What sits at the shell; None where it is not asked for, or nobody could type."""
    if not arguments.flag("debug") or not call.is_terminal(call.streams.stdin):
        return None

    def sit(error: CommandFailed, channel: Attached) -> None:
        from contextlib import suppress

        from jubako.cli.pump import Detached
        from jubako.cli.session import Session

        call.error(f"{error.message}\n\nA shell where it failed; the build ends with it.")
        with Session(call, tty=True, stdin=True, proxy=False) as session, suppress(Detached):
            session.run(channel)

    return sit


def shown_mode(mode: str, debug: Debug | None) -> str:
    """The progress that leaves the terminal to a shell."""
    return "plain" if debug and mode in ("auto", "tty") else mode
