"""jubako volume ls."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from jubako.cli.call import Call
from jubako.cli.command import NONE, Command
from jubako.cli.each import filters
from jubako.cli.formatting import FORMAT, Row, label_list, label_of, render
from jubako.cli.options import FILTER, FLAG, Arguments, Option
from jubako.spec.filters import boolean, check_keys, matches_name, passes_labels

if TYPE_CHECKING:
    from jubako.engine import Engine
    from jubako.volume import Volume

HEADERS = {
    "Driver": "DRIVER",
    "Name": "VOLUME NAME",
    "Scope": "SCOPE",
    "Mountpoint": "MOUNTPOINT",
    "Labels": "LABELS",
    "Links": "LINKS",
    "Size": "SIZE",
    "Status": "STATUS",
}
_KEYS = ("dangling", "driver", "label", "name")


def run(call: Call, arguments: Arguments) -> int:
    wanted = filters(arguments.pairs("filter"))
    check_keys(wanted, _KEYS)
    engine = call.engine
    found = [volume for volume in engine.volumes.list() if _passes(engine, volume, wanted)]
    found.sort(key=lambda volume: volume.name)
    if arguments.flag("quiet") and not arguments.text("format"):
        call.out("".join(f"{volume.name}\n" for volume in found))
        return 0
    call.out(render(map(_row, found), arguments.text("format"), "{{.Driver}}\t{{.Name}}", HEADERS))
    return 0


def _passes(engine: Engine, volume: Volume, wanted: Mapping[str, Sequence[str]]) -> bool:
    dangling = boolean(wanted, "dangling")
    if dangling is not None and (not engine.volumes.users(volume.name)) != dangling:
        return False
    if "driver" in wanted and "local" not in wanted["driver"]:
        return False
    if "name" in wanted and not matches_name(wanted["name"], volume.name):
        return False
    return passes_labels(volume.labels, wanted)


def _row(volume: Volume) -> Row:
    return Row(
        {
            "Availability": "N/A",
            "Driver": "local",
            "Group": "N/A",
            "Label": label_of(volume.labels),
            "Labels": label_list(volume.labels),
            "Links": "N/A",
            "Mountpoint": str(volume.path),
            "Name": volume.name,
            "Scope": "local",
            "Size": "N/A",
            "Status": "N/A",
        }
    )


COMMAND = Command(
    run,
    "[OPTIONS]",
    NONE,
    (
        Option("filter", "f", FILTER, 'Provide filter values (e.g. "dangling=true")'),
        FORMAT,
        Option("quiet", "q", FLAG, "Only display volume names"),
    ),
)
