"""jubako system prune."""

from __future__ import annotations

from collections.abc import Sequence

from jubako.cli import humanize
from jubako.cli.call import Call
from jubako.cli.command import NONE, Command
from jubako.cli.commands.image_prune import image_lines
from jubako.cli.options import FLAG, Arguments, Option


def run(call: Call, arguments: Arguments) -> int:
    all_, volumes = arguments.flag("all"), arguments.flag("volumes")
    if not arguments.flag("force") and not call.ask(_warning(all_=all_, volumes=volumes)):
        return 0
    pruned, steps = call.builder.prune(all=all_, volumes=volumes)
    text = _section("Containers", pruned.containers)
    text += _section("Networks", pruned.networks)
    text += _section("Volumes", pruned.volumes)
    if pruned.images:
        text += "Deleted Images:\n" + image_lines(pruned.images) + "\n"
    text += _section("build cache objects", steps)
    call.out(f"{text}Total reclaimed space: {humanize.size(pruned.freed_bytes)}\n")
    return 0


def _section(title: str, names: Sequence[str]) -> str:
    return f"Deleted {title}:\n" + "".join(f"{name}\n" for name in names) + "\n" if names else ""


def _warning(*, all_: bool, volumes: bool) -> str:
    what = ["all stopped containers", "all networks not used by at least one container"]
    if volumes:
        what.append("all anonymous volumes not used by at least one container")
    what.append("all images without at least one container associated to them" if all_ else "all dangling images")
    what.append("all build cache" if all_ else "unused build cache")
    lines = "".join(f"  - {line}\n" for line in what)
    return f"WARNING! This will remove:\n{lines}\nAre you sure you want to continue?"


COMMAND = Command(
    run,
    "[OPTIONS]",
    NONE,
    (
        Option("all", "a", FLAG, "Remove all unused images not just dangling ones"),
        Option("force", "f", FLAG, "Do not prompt for confirmation"),
        Option("volumes", "", FLAG, "Prune anonymous volumes"),
    ),
)
