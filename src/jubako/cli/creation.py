"""Create a container for `run` and `create`: pull a missing image first, and write the ID where it was asked for."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from jubako.cli.call import Call
from jubako.cli.container_options import create_options
from jubako.cli.options import Arguments
from jubako.engine import ordinary
from jubako.errors import FailedPrecondition, NotFound

if TYPE_CHECKING:
    from jubako.engine import ContainerRecord, CreateOptions


def create(call: Call, arguments: Arguments, streams: frozenset[str]) -> ContainerRecord:
    """Record the container that the command line describes."""
    options = create_options(arguments, streams)
    id_file = arguments.text("cidfile")
    if id_file and os.path.exists(id_file):
        raise FailedPrecondition(
            f"container ID file found, make sure the other container isn't running or delete {id_file}"
        )
    if options.pod.startswith("new:"):
        options = _in_new_pod(call, options)
    record = _create(call, options, quiet=arguments.flag("quiet"))
    if warning := ordinary.discarded(options):
        call.error(f"WARNING: {warning}")
    if id_file:
        with open(id_file, "w") as file:
            file.write(record.id)
    return record


def _in_new_pod(call: Call, options: CreateOptions) -> CreateOptions:
    """`--pod new:NAME`: the pod gets the network that was asked for, and the container is in it."""
    from msgspec.structs import replace

    from jubako.engine.options import PLACE, CreateOptions
    from jubako.engine.pods.record import PodOptions

    unset = CreateOptions(image=options.image)
    of_pod = {name: getattr(options, name) for name in PLACE if getattr(options, name) != getattr(unset, name)}
    pod = call.engine.pods.create(PodOptions(name=options.pod.removeprefix("new:"), **of_pod))
    return replace(options, pod=pod.id, **{name: getattr(unset, name) for name in of_pod})


def _create(call: Call, options: CreateOptions, *, quiet: bool) -> ContainerRecord:
    from msgspec.structs import replace

    containers = call.engine.containers
    if options.pull == "always":
        _pull(call, options, quiet=quiet)
    elif options.pull == "missing":
        try:
            return containers.create(replace(options, pull="never"))
        except NotFound as error:
            if error.what != "image":
                raise
        if not quiet:
            from jubako.image import reference

            call.error(f"Unable to find image '{reference.parse(options.image).familiar()}' locally")
        _pull(call, options, quiet=quiet)
    return containers.create(replace(options, pull="never") if options.pull in ("always", "missing") else options)


def _pull(call: Call, options: CreateOptions, *, quiet: bool) -> None:
    from jubako.cli.reporting import shown

    with shown(call, call.streams.stderr, quiet=quiet) as progress:
        call.engine.images.pull(options.image, platform=options.platform, progress=progress)
