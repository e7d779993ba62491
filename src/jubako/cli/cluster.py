"""What the commands of `jubako cluster` share: which cluster is meant."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jubako.cli.call import Call
from jubako.cli.options import TEXT, Arguments, Option

if TYPE_CHECKING:
    from jubako.cluster.place import Place

NAME = Option("name", "", TEXT, "Name of the cluster", "default")


def place_of(call: Call, arguments: Arguments) -> Place:
    """Return the cluster that --name means."""
    return place_named(call, arguments.text("name"))


def place_named(call: Call, name: str) -> Place:
    from jubako.cluster.place import Place
    from jubako.engine import paths

    return Place(name, *paths.resolve(call.root, call.run_root))
