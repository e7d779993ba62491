"""jubako rollout restart."""

from __future__ import annotations

from jubako.cli import cluster
from jubako.cli.call import Call
from jubako.cli.command import ANY, Command
from jubako.cli.options import Arguments


def run(call: Call, arguments: Arguments) -> int:
    from jubako.cli.kube import client
    from jubako.cli.kube.rollout import changing

    return client.run(call, arguments, changing.restart)


COMMAND = Command(
    run,
    "[OPTIONS] (TYPE NAME | TYPE/NAME ...)",
    ANY,
    cluster.CHANGES,
)
