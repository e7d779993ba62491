"""jubako delete."""

from __future__ import annotations

from jubako.cli import cluster
from jubako.cli.call import Call
from jubako.cli.command import ANY, Command
from jubako.cli.options import FLAG, INT, TEXT, Arguments, Option


def run(call: Call, arguments: Arguments) -> int:
    from jubako.cli.kube import client
    from jubako.cli.kube.verbs import delete

    return client.run(call, arguments, delete.delete)


COMMAND = Command(
    run,
    "[OPTIONS] ([-f FILE] | TYPE [(NAME | -l label | --all)] | TYPE/NAME ...)",
    ANY,
    (
        *cluster.CHANGES,
        Option("all", "", FLAG, "Delete all resources, in the namespace of the specified resource types"),
        Option("cascade", "", TEXT, 'Must be "background", "orphan", or "foreground"', "background"),
        Option("force", "", FLAG, "If true, immediately remove resources from API and bypass graceful deletion"),
        Option("grace-period", "", INT, "Seconds given to the resource to terminate gracefully; negative: its own", -1),
        Option("ignore-not-found", "", FLAG, 'Treat "resource not found" as a successful delete'),
        Option("now", "", FLAG, "If true, resources are signaled for immediate shutdown (same as --grace-period=1)"),
        cluster.TIMEOUT,
        Option("wait", "", FLAG, "If true, wait for resources to be gone before returning", default=True),
    ),
)
