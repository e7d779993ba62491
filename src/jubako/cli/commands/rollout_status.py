"""jubako rollout status."""

from __future__ import annotations

from jubako.cli import cluster
from jubako.cli.call import Call
from jubako.cli.command import ANY, Command
from jubako.cli.options import FLAG, INT, Arguments, Option


def run(call: Call, arguments: Arguments) -> int:
    from jubako.cli.kube import client
    from jubako.cli.kube.rollout import status

    return client.run(call, arguments, status.status)


COMMAND = Command(
    run,
    "[OPTIONS] (TYPE NAME | TYPE/NAME ...)",
    ANY,
    (
        *cluster.OBJECTS,
        Option("revision", "", INT, "Pin to a specific revision for showing its status", 0),
        cluster.TIMEOUT,
        Option("watch", "w", FLAG, "Watch the status of the rollout until it's done", default=True),
    ),
)
