"""jubako attach."""

from __future__ import annotations

from jubako.cli import container_options
from jubako.cli.call import Call
from jubako.cli.command import ONE, Command
from jubako.cli.failure import Exit
from jubako.cli.options import FLAG, Arguments, Option


def run(call: Call, arguments: Arguments) -> int:
    from jubako.cli.session import Session
    from jubako.cli.stay import stay_attached

    record = call.engine.containers.get(arguments.operands[0])
    session = Session(
        call,
        tty=record.options.tty,
        stdin=record.options.open_stdin and not arguments.flag("no-stdin"),
        proxy=arguments.flag("sig-proxy"),
        keys=arguments.optional("detach-keys"),
    )
    with session:
        code = stay_attached(call, session, record.id)
    if code is None:
        raise Exit(1, "read escape sequence")
    return code


COMMAND = Command(
    run,
    "[OPTIONS] CONTAINER",
    ONE,
    (
        container_options.DETACH_KEYS,
        Option("no-stdin", "", FLAG, "Do not attach STDIN"),
        container_options.SIG_PROXY,
    ),
)
