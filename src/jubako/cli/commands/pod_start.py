"""jubako pod start."""

from __future__ import annotations

from jubako.cli.call import Call
from jubako.cli.command import SOME, Command
from jubako.cli.each import each
from jubako.cli.options import Arguments


def run(call: Call, arguments: Arguments) -> int:
    engine = call.engine

    def start(name: str) -> None:
        pod = engine.pods.start(name)
        for container in engine.pods.containers(pod.id):
            engine.containers.start(container.id)

    return each(call, arguments.operands, start)


COMMAND = Command(run, "POD [POD...]", SOME)
