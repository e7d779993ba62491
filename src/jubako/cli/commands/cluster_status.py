"""jubako cluster status."""

from __future__ import annotations

from jubako.cli.call import Call
from jubako.cli.cluster import place_named
from jubako.cli.command import NONE, Command
from jubako.cli.options import Arguments
from jubako.cli.texttable import align


def run(call: Call, arguments: Arguments) -> int:
    from jubako.cluster.place import names

    rows = ["NAME\tSTATUS\tPID\tADDRESS"]
    for name in names(place_named(call, "default").root):
        found = place_named(call, name).running()
        rows.append(f"{name}\tUp\t{found.pid}\t{found.address}" if found else f"{name}\tDown\t\t")
    call.out(align(rows))
    return 0


COMMAND = Command(run, "", NONE, ())
