"""Create a container for `run` and `create`: pull a missing image first, and write the ID where it was asked for."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from jubako.cli.call import Call
from jubako.cli.container_options import create_options
from jubako.cli.options import Arguments
from jubako.engine import ordinary
from jubako.errors import FailedPrecondition, InvalidArgument, NotFound

if TYPE_CHECKING:
    from jubako.engine import ContainerRecord, CreateOptions


def create(call: Call, arguments: Arguments, streams: frozenset[str]) -> ContainerRecord:
    """Record the container that the command line describes."""
    options = create_options(arguments, streams)
    with _id_file(arguments.text("cidfile")) as write:
        record = _recorded(call, arguments, options)
        write(record.id)
    return record


@contextmanager
def _id_file(path: str) -> Iterator[Callable[[str], object]]:
    """What writes the ID. The file is there before the container is, and goes where none came of it."""
    if not path:
        yield lambda text: None
        return
    try:
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
    except FileExistsError:
        raise FailedPrecondition(
            f"container ID file found, make sure the other container isn't running or delete {path}"
        ) from None
    except OSError as error:
        why = (error.strerror or "").lower()
        raise InvalidArgument(f"failed to create the container ID file: open {path}: {why}") from None
    with open(fd, "w") as file:
        try:
            yield file.write
        except BaseException:
            os.unlink(path)
            raise


def _recorded(call: Call, arguments: Arguments, options: CreateOptions) -> ContainerRecord:
    if options.pod.startswith("new:"):
        options = _in_new_pod(call, options)
    record = _create(call, options, quiet=arguments.flag("quiet"))
    if warning := ordinary.discarded(options):
        call.error(f"WARNING: {warning}")
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
            if error.what not in ("image", "platform"):
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
