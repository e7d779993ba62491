"""jubako inspect: whatever has that name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from jubako.cli.call import Call
from jubako.cli.command import SOME, Command
from jubako.cli.failure import Exit
from jubako.cli.formatting import FORMAT_ONE
from jubako.cli.inspection import inspect
from jubako.cli.options import FLAG, TEXT, Arguments, Option
from jubako.errors import InvalidArgument, NotFound


def run(call: Call, arguments: Arguments) -> int:
    engine = call.engine
    lookups: dict[str, Callable[[str], dict[str, Any]]] = {
        "container": engine.containers.inspect,
        "image": engine.images.inspect,
        "network": lambda name: engine.networks.inspect(name),
        "volume": lambda name: engine.volumes.inspect(name),
    }
    kind = arguments.text("type")
    if kind and kind not in lookups:
        known = ", ".join(f'"{name}"' for name in lookups)
        raise Exit(1, f'unknown type: "{kind}": must be one of {known}')
    if kind:
        return inspect(call, arguments.operands, lookups[kind], arguments.text("format"))

    def any_of(name: str) -> dict[str, Any]:
        for lookup in lookups.values():
            try:
                return lookup(name)
            except (NotFound, InvalidArgument):
                continue
        raise NotFound("object", name)

    return inspect(call, arguments.operands, any_of, arguments.text("format"))


COMMAND = Command(
    run,
    "[OPTIONS] NAME|ID [NAME|ID...]",
    SOME,
    (
        FORMAT_ONE,
        Option("size", "s", FLAG, "Display total file sizes if the type is container", hidden=True),
        Option("type", "", TEXT, "Only inspect objects of the given type"),
    ),
)
