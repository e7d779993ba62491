"""jubako apply."""

from __future__ import annotations

from jubako.cli import cluster
from jubako.cli.call import Call
from jubako.cli.command import ANY, Command
from jubako.cli.options import FLAG, TEXT, Arguments, Option


def run(call: Call, arguments: Arguments) -> int:
    from jubako.cli.kube import client
    from jubako.cli.kube.verbs import apply

    return client.run(call, arguments, apply.apply)


COMMAND = Command(
    run,
    "[OPTIONS] -f FILE|DIRECTORY|-",
    ANY,
    (
        *cluster.SERVER,
        cluster.DRY_RUN,
        Option("field-manager", "", TEXT, "Name of the manager used to track field ownership"),
        cluster.FILENAME,
        Option("force-conflicts", "", FLAG, "If true, server-side apply will force the changes against conflicts"),
        Option("kustomize", "k", TEXT, "Not supported", hidden=True),
        cluster.OUTPUT,
        Option("prune", "", FLAG, "Not supported", hidden=True),
        cluster.RECURSIVE,
        cluster.SELECTOR,
        Option("server-side", "", FLAG, "If true, apply runs in the server instead of the client"),
        Option("validate", "", TEXT, "Must be one of: strict (or true), warn, ignore (or false)", "strict"),
    ),
)
