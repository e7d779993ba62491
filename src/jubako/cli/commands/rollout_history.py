"""jubako rollout history."""

from __future__ import annotations

from jubako.cli import cluster
from jubako.cli.call import Call
from jubako.cli.command import ANY, Command
from jubako.cli.options import INT, Arguments, Option


def run(call: Call, arguments: Arguments) -> int:
    from jubako.cli.kube import client
    from jubako.cli.kube.rollout import history

    return client.run(call, arguments, history.history)


COMMAND = Command(
    run,
    "[OPTIONS] (TYPE NAME | TYPE/NAME ...)",
    ANY,
    (
        *cluster.OBJECTS,
        cluster.OUTPUT,
        Option("revision", "", INT, "See the details, including podTemplate of the revision specified", 0),
    ),
)
