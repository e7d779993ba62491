"""jubako port-forward."""

from __future__ import annotations

from jubako.cli import cluster
from jubako.cli.call import Call
from jubako.cli.command import ANY, Command
from jubako.cli.options import STRINGS, Arguments, Option


def run(call: Call, arguments: Arguments) -> int:
    from jubako.cli.kube import client
    from jubako.cli.kube.verbs import port_forward

    return client.run(call, arguments, port_forward.port_forward)


COMMAND = Command(
    run,
    "[OPTIONS] TYPE/NAME [LOCAL_PORT:]REMOTE_PORT [...]",
    ANY,
    (
        *cluster.SERVER,
        Option("address", "", STRINGS, "Addresses to listen on (comma separated); localhost if none is given"),
    ),
)
