"""jubako system prune."""

from __future__ import annotations

from jubako.cli import humanize
from jubako.cli.call import Call
from jubako.cli.command import NONE, Command
from jubako.cli.commands.image_prune import image_lines
from jubako.cli.options import FLAG, Arguments, Option
from jubako.cli.pruning import FORCE, confirmed, deleted


def run(call: Call, arguments: Arguments) -> int:
    all_, volumes = arguments.flag("all"), arguments.flag("volumes")
    if not confirmed(call, arguments, _warning(all_=all_, volumes=volumes)):
        return 0
    pruned, steps = call.builder.prune(all=all_, volumes=volumes)
    text = deleted("Containers", pruned.containers)
    text += deleted("Networks", pruned.networks)
    text += deleted("Volumes", pruned.volumes)
    text += deleted("Images", image_lines(pruned.images))
    text += deleted("build cache objects", steps)
    call.out(f"{text}Total reclaimed space: {humanize.size(pruned.freed_bytes)}\n")
    return 0


def _warning(*, all_: bool, volumes: bool) -> str:
    what = ["all stopped containers", "all networks not used by at least one container"]
    if volumes:
        what.append("all anonymous volumes not used by at least one container")
    what.append("all images without at least one container associated to them" if all_ else "all dangling images")
    what.append("all build cache" if all_ else "unused build cache")
    lines = "".join(f"  - {line}\n" for line in what)
    return f"WARNING! This will remove:\n{lines}"


COMMAND = Command(
    run,
    "[OPTIONS]",
    NONE,
    (
        Option("all", "a", FLAG, "Remove all unused images not just dangling ones"),
        FORCE,
        Option("volumes", "", FLAG, "Prune anonymous volumes"),
    ),
)
