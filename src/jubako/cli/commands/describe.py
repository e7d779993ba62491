"""jubako describe."""

from __future__ import annotations

from jubako.cli import cluster
from jubako.cli.call import Call
from jubako.cli.command import ANY, Command
from jubako.cli.options import FLAG, Arguments, Option


def run(call: Call, arguments: Arguments) -> int:
    from jubako.cli.kube import client
    from jubako.cli.kube.describe import verb

    return client.run(call, arguments, verb.describe)


COMMAND = Command(
    run,
    "[OPTIONS] (-f FILE | TYPE [NAME_PREFIX | -l label] | TYPE/NAME ...)",
    ANY,
    (
        *cluster.OBJECTS,
        Option("show-events", "", FLAG, "If true, display events related to the described object", default=True),
    ),
)
