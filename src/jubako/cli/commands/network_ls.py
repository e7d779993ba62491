"""jubako network ls."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from jubako.cli import times
from jubako.cli.call import Call
from jubako.cli.command import NONE, Command
from jubako.cli.each import filters
from jubako.cli.formatting import FORMAT, Row, label_list, label_of, render
from jubako.cli.options import FILTER, FLAG, Arguments, Option
from jubako.errors import InvalidArgument
from jubako.spec.filters import boolean, check_keys, matches_name, passes_labels

if TYPE_CHECKING:
    from jubako.network import Network

HEADERS = {
    "ID": "NETWORK ID",
    "Name": "NAME",
    "Driver": "DRIVER",
    "Scope": "SCOPE",
    "IPv6": "IPV6",
    "Internal": "INTERNAL",
    "Labels": "LABELS",
    "CreatedAt": "CREATED AT",
}
TABLE = "{{.ID}}\t{{.Name}}\t{{.Driver}}\t{{.Scope}}"
_KEYS = ("dangling", "driver", "id", "label", "name", "scope", "type")
_TYPES = ("builtin", "custom")
_PREDEFINED = ("bridge", "host", "none")


def run(call: Call, arguments: Arguments) -> int:
    wanted = filters(arguments.pairs("filter"))
    check_keys(wanted, _KEYS)
    for kind in wanted.get("type", ()):
        if kind not in _TYPES:
            raise InvalidArgument(f"invalid filter: 'type'='{kind}'")
    found = [network for network in call.engine.networks.list() if _passes(network, wanted)]
    if (dangling := boolean(wanted, "dangling")) is not None:
        used = {*_PREDEFINED, *call.engine.networks.in_use()}
        found = [network for network in found if (network.name not in used) == dangling]
    rows = [_row(network, truncate=not arguments.flag("no-trunc")) for network in sorted(found, key=_by_name)]
    if arguments.flag("quiet"):
        call.out("".join(f"{row['ID']}\n" for row in rows))
        return 0
    call.out(render(rows, arguments.text("format"), TABLE, HEADERS))
    return 0


def _by_name(network: Network) -> str:
    return network.name


def _passes(network: Network, wanted: Mapping[str, Sequence[str]]) -> bool:
    kind = "builtin" if network.name in _PREDEFINED else "custom"
    tests: dict[str, Callable[[str], bool]] = {
        "driver": lambda text: text == network.driver,
        "id": lambda text: network.id.startswith(text),
        "name": lambda text: matches_name([text], network.name),
        "scope": lambda text: text == "local",
        "type": lambda text: text == kind,
    }
    if not all(any(test(text) for text in wanted[key]) for key, test in tests.items() if key in wanted):
        return False
    return passes_labels(network.labels, wanted)


def _row(network: Network, *, truncate: bool) -> Row:
    return Row(
        {
            "CreatedAt": times.shown(network.created_ns / 1e9),
            "Driver": network.driver,
            "ID": network.id[:12] if truncate else network.id,
            "IPv4": "true",
            "IPv6": "false",
            "Internal": "true" if network.internal else "false",
            "Label": label_of(network.labels),
            "Labels": label_list(network.labels),
            "Name": network.name,
            "Scope": "local",
        }
    )


COMMAND = Command(
    run,
    "[OPTIONS]",
    NONE,
    (
        Option("filter", "f", FILTER, 'Provide filter values (e.g. "driver=bridge")'),
        FORMAT,
        Option("no-trunc", "", FLAG, "Do not truncate the output"),
        Option("quiet", "q", FLAG, "Only display network IDs"),
    ),
)
