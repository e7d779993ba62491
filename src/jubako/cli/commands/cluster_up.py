"""jubako cluster up."""

from __future__ import annotations

from pathlib import Path

from jubako.cli.call import Call
from jubako.cli.cluster import NAME, place_of
from jubako.cli.command import NONE, Command
from jubako.cli.options import TEXT, Arguments, Option, UsageError

_AUDITS = ("metadata", "all", "none")


def run(call: Call, arguments: Arguments) -> int:
    from jubako.cluster import kubeconfig, life
    from jubako.engine import ordinary

    ordinary.refuse("a cluster")
    host, _, port = arguments.text("listen").rpartition(":")
    if not host or not port.isdigit():
        raise UsageError(f"invalid --listen {arguments.text('listen')}: it is ADDRESS:PORT")
    place = place_of(call, arguments)
    audit = arguments.text("audit")
    if audit not in _AUDITS:
        raise UsageError(f"invalid --audit {audit}: it is one of {', '.join(_AUDITS)}")
    path = place.kubeconfig
    if given := arguments.optional("kubeconfig"):
        path = Path(given).absolute()
        kubeconfig.check_replaceable(path, place.name)
    found = life.up(place, host, int(port), audit)
    if given:
        kubeconfig.write(path, place.kubeconfig.read_bytes())
    call.line(f"Cluster {place.name} is up at {found.address}")
    call.line(f"export KUBECONFIG={path}")
    return 0


COMMAND = Command(
    run,
    "[OPTIONS]",
    NONE,
    (
        Option("audit", "", TEXT, "What is audited: changes and refusals (metadata), all, or none", "metadata"),
        Option("kubeconfig", "", TEXT, "Write the kubeconfig to this file too"),
        Option("listen", "", TEXT, "ADDRESS:PORT of the API server; port 0 chooses one", "127.0.0.1:0"),
        NAME,
    ),
)
