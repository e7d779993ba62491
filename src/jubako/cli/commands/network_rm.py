"""jubako network rm."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jubako.cli.call import Call
from jubako.cli.command import SOME, Command
from jubako.cli.each import each
from jubako.cli.options import FLAG, Arguments, Option
from jubako.errors import NotFound

if TYPE_CHECKING:
    from jubako.engine.facades import EngineNetworks


def run(call: Call, arguments: Arguments) -> int:
    networks = call.engine.networks
    names = arguments.operands
    if arguments.flag("force"):
        names = [name for name in names if _exists(networks, name)]
    return each(call, names, networks.remove)


def _exists(networks: EngineNetworks, name: str) -> bool:
    try:
        networks.get(name)
    except NotFound:
        return False
    return True


COMMAND = Command(
    run,
    "[OPTIONS] NETWORK [NETWORK...]",
    SOME,
    (Option("force", "f", FLAG, "Do not error if the network does not exist"),),
)
