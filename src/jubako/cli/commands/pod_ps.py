"""jubako pod ps."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from jubako.cli import humanize, times
from jubako.cli.call import Call
from jubako.cli.command import NONE, Command
from jubako.cli.each import filters
from jubako.cli.formatting import FORMAT, Row, label_list, label_of, render
from jubako.cli.listing import short
from jubako.cli.options import FILTER, FLAG, Arguments, Option

if TYPE_CHECKING:
    from jubako.engine.pods.record import PodRecord

# There is no infra container; the column is podman's, and empty with `--infra=false` there too.
HEADERS = {
    "ID": "POD ID",
    "Name": "NAME",
    "Status": "STATUS",
    "Created": "CREATED",
    "InfraID": "INFRA ID",
    "NumberOfContainers": "# OF CONTAINERS",
    "ContainerNames": "NAMES",
    "Labels": "LABELS",
    "Networks": "NETWORKS",
    "CreatedAt": "CREATED AT",
}
TABLE = "{{.ID}}\t{{.Name}}\t{{.Status}}\t{{.Created}}\t{{.InfraID}}\t{{.NumberOfContainers}}"


def run(call: Call, arguments: Arguments) -> int:
    truncate = not arguments.flag("no-trunc")
    pods = call.engine.pods.list(filters(arguments.pairs("filter")))[: 1 if arguments.flag("latest") else None]
    if arguments.flag("quiet"):
        call.out("".join(f"{short(pod.id) if truncate else pod.id}\n" for pod in pods))
        return 0
    rows = [_row(call, pod, truncate=truncate) for pod in pods]
    table = TABLE + ("\t{{.ContainerNames}}" if arguments.flag("ctr-names") else "")
    call.out(render(rows, arguments.text("format"), table, HEADERS))
    return 0


def _row(call: Call, pod: PodRecord, *, truncate: bool) -> Row:
    containers = call.engine.pods.containers(pod.id)
    created_s = pod.created_ns / 1e9
    return Row(
        {
            "ContainerNames": ",".join(container.name for container in containers),
            "Created": f"{humanize.duration(time.time() - created_s)} ago",
            "CreatedAt": times.shown(created_s),
            "ID": short(pod.id) if truncate else pod.id,
            "InfraID": "",
            "Label": label_of(pod.options.labels),
            "Labels": label_list(pod.options.labels),
            "Name": pod.name,
            "Networks": pod.options.network,
            "NumberOfContainers": str(len(containers)),
            "Status": call.engine.pods.status(pod),
        }
    )


COMMAND = Command(
    run,
    "[OPTIONS]",
    NONE,
    (
        Option("ctr-names", "", FLAG, "Display the container names"),
        Option("filter", "f", FILTER, 'Filter output based on conditions provided (e.g. "status=running")'),
        FORMAT,
        Option("latest", "l", FLAG, "Show the latest created pod"),
        Option("no-trunc", "", FLAG, "Do not truncate the output"),
        Option("quiet", "q", FLAG, "Only display pod IDs"),
    ),
)
