"""jubako inspect: whatever has that name."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from jubako.cli.call import Call
from jubako.cli.command import SOME, Command
from jubako.cli.failure import Exit
from jubako.cli.formatting import FORMAT_ONE
from jubako.cli.inspection import inspect
from jubako.cli.options import FLAG, TEXT, Arguments, Option
from jubako.errors import InvalidArgument, NotFound

if TYPE_CHECKING:
    from jubako.engine import Engine


def run(call: Call, arguments: Arguments) -> int:
    engine = call.engine
    lookups: dict[str, Callable[[str], dict[str, Any]]] = {
        "container": lambda name: _container(engine, name, sized=arguments.flag("size")),
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


def _container(engine: Engine, name: str, *, sized: bool) -> dict[str, Any]:
    document = engine.containers.inspect(name)
    if sized:
        usage = engine.system.disk_usage()
        written = {item["Id"]: item["SizeRw"] for item in usage["Containers"]}
        images = {item["Id"]: item["Size"] for item in usage["Images"]}
        document["SizeRw"] = written.get(document["Id"], 0)
        document["SizeRootFs"] = document["SizeRw"] + images.get(document["Image"], 0)
    return document


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
