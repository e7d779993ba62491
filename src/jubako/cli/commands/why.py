"""jubako why."""

from __future__ import annotations

from jubako.cli import cluster
from jubako.cli.call import Call
from jubako.cli.command import ANY, Command
from jubako.cli.options import Arguments


def run(call: Call, arguments: Arguments) -> int:
    from jubako.cli.kube import client
    from jubako.cli.kube.verbs import why

    return client.run(call, arguments, why.why)


COMMAND = Command(
    run,
    "[OPTIONS] [TYPE/NAME ... | TYPE [NAME...]]",
    ANY,
    cluster.OBJECTS,
    details="Ends with 0 where all is well, else with 1. Without operands: all in the namespace that is not well.",
    examples=("why", "why deployment/web", "why pods -l app=web -n shop"),
)
