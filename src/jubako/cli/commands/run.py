"""jubako run: create, start, and stay with the container until it ends."""

from __future__ import annotations

from jubako.cli import container_options
from jubako.cli.call import Call
from jubako.cli.command import SOME, Command
from jubako.cli.creation import create
from jubako.cli.options import FLAG, Arguments, Option


def run(call: Call, arguments: Arguments) -> int:
    if arguments.flag("detach"):
        return _in_background(call, arguments)
    from jubako.cli.session import Session
    from jubako.cli.stay import stay

    streams = container_options.attached(arguments)
    session = Session(
        call,
        tty=arguments.flag("tty"),
        stdin="stdin" in streams,
        proxy=arguments.flag("sig-proxy"),
        keys=arguments.optional("detach-keys"),
    )
    session.keep(streams)
    record = create(call, arguments, streams)
    with session:
        handle = call.engine.containers.start(record.id, attach=True, fresh=True)
        assert handle is not None, "a container that was just created does not run yet"
        return stay(call, session, record.id, handle) or 0


def _in_background(call: Call, arguments: Arguments) -> int:
    if arguments.texts("attach"):
        from jubako.cli.failure import Exit

        raise Exit(1, "conflicting options: cannot specify both --attach and --detach")
    record = create(call, arguments, frozenset())
    call.engine.containers.start(record.id, fresh=True)
    call.line(record.id)
    return 0


OPTIONS = (
    *container_options.OPTIONS,
    Option("detach", "d", FLAG, "Run container in background and print container ID"),
    container_options.DETACH_KEYS,
    container_options.SIG_PROXY,
)
COMMAND = Command(run, "[OPTIONS] IMAGE [COMMAND] [ARG...]", SOME, OPTIONS, interspersed=False)
