"""jubako get."""

from __future__ import annotations

from jubako.cli import cluster
from jubako.cli.call import Call
from jubako.cli.command import ANY, Command
from jubako.cli.options import FLAG, STRINGS, TEXT, Arguments, Option


def run(call: Call, arguments: Arguments) -> int:
    from jubako.cli.kube import client
    from jubako.cli.kube.verbs import get

    return client.run(call, arguments, get.get)


COMMAND = Command(
    run,
    "[OPTIONS] (TYPE[,TYPE] [NAME...] | TYPE/NAME ...)",
    ANY,
    (
        *cluster.OBJECTS,
        Option("allow-missing-template-keys", "", FLAG, "Ignore missing fields in templates", default=True),
        Option(
            "ignore-not-found", "", FLAG, "If the requested object does not exist the command will return exit code 0"
        ),
        Option("label-columns", "L", STRINGS, "Labels that are going to be presented as columns"),
        Option("no-headers", "", FLAG, "Don't print headers (default print headers)"),
        cluster.OUTPUT,
        Option("output-watch-events", "", FLAG, "Output watch event objects when --watch or --watch-only is used"),
        Option("show-kind", "", FLAG, "List the resource type for the requested object(s)"),
        Option("show-labels", "", FLAG, "Show all labels as the last column"),
        Option("show-managed-fields", "", FLAG, "Keep the managedFields when printing objects in JSON or YAML format"),
        Option("sort-by", "", TEXT, "Sort list types using this field specification, a JSON path"),
        Option("watch", "w", FLAG, "After listing/getting the requested object, watch for changes"),
        Option("watch-only", "", FLAG, "Watch for changes to the requested object(s), without listing/getting first"),
    ),
)
