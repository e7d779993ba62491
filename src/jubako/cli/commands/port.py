"""jubako port."""

from __future__ import annotations

from jubako.cli.call import Call
from jubako.cli.command import Command, Operands
from jubako.cli.failure import Exit
from jubako.cli.options import Arguments


def run(call: Call, arguments: Arguments) -> int:
    name, *asked = arguments.operands
    published = call.engine.containers.inspect(name)["NetworkSettings"]["Ports"] or {}
    places = {port: [_address(place) for place in bindings or []] for port, bindings in published.items()}
    if not asked:
        ordered = sorted(places, key=lambda port: (int(port.partition("/")[0]), port))
        call.out("".join(f"{port} -> {address}\n" for port in ordered for address in places[port]))
        return 0
    port = asked[0] if "/" in asked[0] else f"{asked[0]}/tcp"
    if not places.get(port):
        raise Exit(1, f"Error: No public port '{asked[0]}' published for {name}")
    call.out("".join(f"{address}\n" for address in places[port]))
    return 0


def _address(place: dict[str, str]) -> str:
    host = place["HostIp"]
    return f"[{host}]:{place['HostPort']}" if ":" in host else f"{host}:{place['HostPort']}"


COMMAND = Command(run, "CONTAINER [PRIVATE_PORT[/PROTO]]", Operands(1, 2))
