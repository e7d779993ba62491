"""jubako logs."""

from __future__ import annotations

from jubako.cli.call import Call, write_all
from jubako.cli.command import ONE, Command
from jubako.cli.options import FLAG, TEXT, Arguments, Option


def run(call: Call, arguments: Arguments) -> int:
    from jubako.cli import times

    name = arguments.operands[0]
    tail = arguments.text("tail")
    lines = call.engine.containers.logs(
        name,
        follow=arguments.flag("follow"),
        # Docker takes what is not a number as "all".
        tail=int(tail) if tail.isascii() and tail.isdecimal() else None,
        since_ns=times.since(arguments.text("since"), "since"),
        until_ns=times.since(arguments.text("until"), "until"),
    )
    stamped = arguments.flag("timestamps")
    for line in lines:
        text = f"{line.time} {line.log}" if stamped else line.log
        fd = call.streams.stderr if line.stream == "stderr" else call.streams.stdout
        write_all(fd, text.encode("utf-8", "surrogateescape"))
    return 0


COMMAND = Command(
    run,
    "[OPTIONS] CONTAINER",
    ONE,
    (
        Option("follow", "f", FLAG, "Follow log output"),
        Option(
            "since",
            "",
            TEXT,
            'Show logs since timestamp (e.g. "2013-01-02T13:23:37Z") or relative (e.g. "42m" for 42 minutes)',
        ),
        Option("tail", "n", TEXT, "Number of lines to show from the end of the logs", "all"),
        Option("timestamps", "t", FLAG, "Show timestamps"),
        Option(
            "until",
            "",
            TEXT,
            'Show logs before a timestamp (e.g. "2013-01-02T13:23:37Z") or relative (e.g. "42m" for 42 minutes)',
        ),
    ),
)
