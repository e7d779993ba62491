"""jubako update."""

from __future__ import annotations

from jubako.cli import container_options
from jubako.cli.call import Call
from jubako.cli.command import SOME, Command
from jubako.cli.each import each
from jubako.cli.failure import Exit
from jubako.cli.options import INT, SIZE, SWAP, TEXT, Arguments, Option

_FIELDS = {
    "cpu-period": "cpu_period",
    "cpu-quota": "cpu_quota",
    "cpu-shares": "cpu_shares",
    "cpus": "nano_cpus",
    "cpuset-cpus": "cpuset_cpus",
    "cpuset-mems": "cpuset_mems",
    "memory": "memory",
    "memory-reservation": "memory_reservation",
    "memory-swap": "memory_swap",
    "pids-limit": "pids_limit",
    "restart": "restart",
}


def run(call: Call, arguments: Arguments) -> int:
    changes = {
        field: arguments.text(name) if arguments.number(name) is None else arguments.number(name)
        for name, field in _FIELDS.items()
        if arguments.given(name)
    }
    if not changes:
        raise Exit(1, "you must provide one or more flags when using this command")
    return each(call, arguments.operands, lambda name: call.engine.containers.update(name, changes))


COMMAND = Command(
    run,
    "[OPTIONS] CONTAINER [CONTAINER...]",
    SOME,
    (
        *container_options.CPU,
        Option("memory", "m", SIZE, "Memory limit"),
        Option("memory-reservation", "", SIZE, "Memory soft limit"),
        Option("memory-swap", "", SWAP, "Swap limit equal to memory plus swap: -1 to enable unlimited swap"),
        Option("pids-limit", "", INT, "Tune container pids limit (set -1 for unlimited)"),
        Option("restart", "", TEXT, "Restart policy to apply when a container exits"),
    ),
)
