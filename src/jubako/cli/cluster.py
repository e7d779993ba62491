"""What the commands that have to do with clusters share: which cluster is meant."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from jubako.cli.call import Call
from jubako.cli.options import DURATION, FLAG, STRINGS, TEXT, Arguments, Option, UsageError, parse

if TYPE_CHECKING:
    from jubako.cli.command import Command
    from jubako.cluster.place import Place

NAME = Option("name", "", TEXT, "Name of the cluster", "default")

# What all have that talk to an API server.
CLUSTER = Option("cluster", "", TEXT, "Name of a cluster on this machine")
CONTEXT = Option("context", "", TEXT, "The name of the kubeconfig context to use")
KUBECONFIG = Option("kubeconfig", "", TEXT, "Path to the kubeconfig file to use for CLI requests")
NAMESPACE = Option("namespace", "n", TEXT, "If present, the namespace scope for this CLI request")
SERVER = (CLUSTER, CONTEXT, KUBECONFIG, NAMESPACE)

# What many have that name objects.
SELECTOR = Option("selector", "l", TEXT, "Selector (label query) to filter on")
FIELD_SELECTOR = Option("field-selector", "", TEXT, "Selector (field query) to filter on")
ALL_NAMESPACES = Option("all-namespaces", "A", FLAG, "List the requested object(s) across all namespaces")
FILENAME = Option("filename", "f", STRINGS, "Files, directories or - (standard input) that hold the objects")
RECURSIVE = Option("recursive", "R", FLAG, "Process the directory used in -f, --filename recursively")
DRY_RUN = Option("dry-run", "", TEXT, 'Must be "none", "server", or "client"', "none")
TIMEOUT = Option("timeout", "", DURATION, "The length of time to wait before giving up, zero means without end", 0)
OUTPUT = Option("output", "o", TEXT, "Output format: json, yaml, name, wide, jsonpath=…, custom-columns=…")
CONTAINER = Option("container", "c", TEXT, "Container name. If omitted, the default one of the pod")

# Those that choose objects, and those that change them.
OBJECTS = (*SERVER, ALL_NAMESPACES, FIELD_SELECTOR, FILENAME, RECURSIVE, SELECTOR)
CHANGES = (*OBJECTS, DRY_RUN, OUTPUT)


def kin(in_cluster: Command, here: Command, words: list[str]) -> Command | None:
    """Return the command for a cluster where its words say so: TYPE/NAME (no container's name has a slash), or -l."""
    for command in (in_cluster, here):
        with suppress(UsageError):
            found = parse(command.options, words, interspersed=command.interspersed)
            selected = command is in_cluster and found.given("selector")
            return in_cluster if selected or any("/" in word for word in found.operands[:1]) else None
    return None


def place_of(call: Call, arguments: Arguments) -> Place:
    """Return the cluster that --name means."""
    return place_named(call, arguments.text("name"))


def place_named(call: Call, name: str) -> Place:
    from jubako.cluster.place import Place
    from jubako.engine import paths

    return Place(name, *paths.resolve(call.root, call.run_root))
