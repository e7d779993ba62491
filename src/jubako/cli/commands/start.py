"""jubako start."""

from __future__ import annotations

from jubako.cli import container_options
from jubako.cli.call import Call
from jubako.cli.command import SOME, Command
from jubako.cli.failure import Exit, describe
from jubako.cli.options import FLAG, Arguments, Option
from jubako.errors import JubakoError


def run(call: Call, arguments: Arguments) -> int:
    if arguments.flag("attach") or arguments.flag("interactive"):
        if len(arguments.operands) > 1:
            raise Exit(1, "you cannot start and attach multiple containers at once")
        return _attached(call, arguments, arguments.operands[0])
    failed = []
    for name in arguments.operands:
        try:
            call.engine.containers.start(name)
        except JubakoError as error:
            call.error(f"Error: {describe(error)}")
            failed.append(name)
            continue
        call.line(name)
    if failed:
        raise Exit(1, f"Error: failed to start containers: {', '.join(failed)}")
    return 0


def _attached(call: Call, arguments: Arguments, name: str) -> int:
    from jubako.cli.session import Session
    from jubako.cli.stay import stay, stay_attached

    containers = call.engine.containers
    record = containers.get(name)
    session = Session(
        call,
        tty=record.options.tty,
        stdin=arguments.flag("interactive") and record.options.open_stdin,
        proxy=arguments.flag("sig-proxy"),
        keys=arguments.optional("detach-keys"),
    )
    with session:
        handle = containers.start(record.id, attach=True)
        code = stay(call, session, record.id, handle) if handle else stay_attached(call, session, record.id)
    return 0 if code is None else code


COMMAND = Command(
    run,
    "[OPTIONS] CONTAINER [CONTAINER...]",
    SOME,
    (
        Option("attach", "a", FLAG, "Attach STDOUT/STDERR and forward signals"),
        container_options.DETACH_KEYS,
        Option("interactive", "i", FLAG, "Attach container's STDIN"),
        Option("sig-proxy", "", FLAG, "Proxy received signals to the process", True, hidden=True),
    ),
)
