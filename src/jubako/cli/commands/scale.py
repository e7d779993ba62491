"""jubako scale."""

from __future__ import annotations

from jubako.cli import cluster
from jubako.cli.call import Call
from jubako.cli.command import ANY, Command
from jubako.cli.options import FLAG, INT, TEXT, Arguments, Option


def run(call: Call, arguments: Arguments) -> int:
    from jubako.cli.kube import client
    from jubako.cli.kube.verbs import scale

    return client.run(call, arguments, scale.scale)


COMMAND = Command(
    run,
    "[OPTIONS] --replicas=COUNT (-f FILE | TYPE NAME | TYPE/NAME ...)",
    ANY,
    (
        *cluster.CHANGES,
        Option("all", "", FLAG, "Select all resources in the namespace of the specified resource types"),
        Option("current-replicas", "", INT, "Precondition for current size; -1 means that it does not matter", -1),
        Option("replicas", "", INT, "The new desired number of replicas. Required."),
        Option("resource-version", "", TEXT, "Precondition for resource version"),
        cluster.TIMEOUT,
    ),
)
