"""jubako network create."""

from __future__ import annotations

from jubako.cli.call import Call
from jubako.cli.command import ONE, Command
from jubako.cli.envfile import labels
from jubako.cli.options import FLAG, LIST, STRINGS, TEXT, Arguments, Option
from jubako.errors import InvalidArgument


def run(call: Call, arguments: Arguments) -> int:
    network = call.engine.networks.create(
        arguments.operands[0],
        driver=arguments.text("driver"),
        subnet=_one(arguments, "subnet"),
        gateway=_one(arguments, "gateway"),
        internal=arguments.flag("internal"),
        labels=labels((), arguments.texts("label")),
    )
    call.line(network.id)
    return 0


def _one(arguments: Arguments, name: str) -> str | None:
    values = arguments.texts(name)
    if len(values) > 1:
        raise InvalidArgument(f"a network has one {name} of IPv4")
    return values[0] if values else None


COMMAND = Command(
    run,
    "[OPTIONS] NETWORK",
    ONE,
    (
        Option("driver", "d", TEXT, "Driver to manage the Network", "bridge"),
        Option("gateway", "", STRINGS, "IPv4 Gateway for the subnet"),
        Option("internal", "", FLAG, "Restrict external access to the network"),
        Option("label", "", LIST, "Set metadata on a network"),
        Option("subnet", "", STRINGS, "Subnet in CIDR format that represents a network segment"),
    ),
)
