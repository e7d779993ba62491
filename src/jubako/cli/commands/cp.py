"""jubako cp."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from jubako.cli import humanize
from jubako.cli.call import Call
from jubako.cli.command import TWO, Command
from jubako.cli.failure import Exit
from jubako.cli.options import FLAG, Arguments, Option


def run(call: Call, arguments: Arguments) -> int:
    source, destination = arguments.operands
    from_name, from_path = split(source)
    to_name, to_path = split(destination)
    if from_name and to_name:
        raise Exit(1, "copying between containers is not supported")
    if from_name:
        copied = _out_of(call, arguments, from_name, from_path, to_path)
    elif to_name:
        copied = _into(call, arguments, from_path, to_name, to_path)
    else:
        raise Exit(1, "must specify at least one container source")
    quiet = arguments.flag("quiet") if arguments.given("quiet") else not call.is_terminal(call.streams.stdout)
    if copied is not None and not quiet:
        shown = destination if to_name else os.path.abspath(destination)
        call.error(f"Successfully copied {humanize.size(copied, 3)} to {shown}")
    return 0


def split(text: str) -> tuple[str, str]:
    """(container, path) of `CONTAINER:PATH`; the container is empty for a local path and for `-`."""
    container, colon, path = text.partition(":")
    if not colon or text.startswith("/") or container.startswith("."):
        return "", text
    return container, path


def _out_of(call: Call, arguments: Arguments, name: str, path: str, local: str) -> int | None:
    """Copy from the container; returns the bytes, or None where the archive itself was the output."""
    from jubako.cli.copying import Side, absolute, local_root, transfer

    with _root(call, name, path) as container_fd:
        source = Side(container_fd, _rooted(path))
        follow = arguments.flag("follow-link")
        if local == "-":
            from jubako.image.layer import copy

            with open(call.streams.stdout, "wb", closefd=False) as out:
                copy.archive_path(container_fd, source.followed() if follow else source.path, out)
            return None
        target = absolute(local)
        parent = os.path.dirname(target.rstrip("/"))
        if not os.path.isdir(parent):
            raise Exit(1, f'invalid output path: directory "{parent}" does not exist')
        with local_root() as root_fd:
            return transfer(source, Side(root_fd, target, (os.geteuid(), os.getegid())), follow=follow)


def _into(call: Call, arguments: Arguments, local: str, name: str, path: str) -> int | None:
    """Copy into the container; returns the bytes, or None where an archive was the input."""
    from jubako.cli.copying import Side, absolute, local_root, transfer
    from jubako.errors import InvalidArgument, NotFound

    with _root(call, name, path) as container_fd:
        if local == "-":
            from jubako.image.layer import copy

            with open(call.streams.stdin, "rb", closefd=False) as stream:
                try:
                    copy.extract_into(container_fd, _rooted(path), stream)
                except (NotFound, InvalidArgument) as error:
                    raise Exit(1, f'destination "{name}:{path}" must be a directory: {error}') from None
            return None
        if not os.path.lexists(local):
            raise Exit(1, f"lstat {absolute(local)}: no such file or directory")
        with local_root() as root_fd:
            source = Side(root_fd, absolute(local))
            return transfer(source, Side(container_fd, _rooted(path)), follow=arguments.flag("follow-link"))


def _rooted(path: str) -> str:
    return path if path.startswith("/") else f"/{path}"


@contextmanager
def _root(call: Call, name: str, path: str) -> Iterator[int]:
    from jubako.engine import rootfs
    from jubako.errors import InvalidArgument, NotFound

    if not path:
        raise InvalidArgument("bad parameter: path cannot be empty")
    engine = call.engine
    record = engine.containers.get(name)
    try:
        with rootfs.opened(engine.drivers, record) as fd:
            yield fd
    except NotFound as error:
        if error.what != "path":
            raise
        raise NotFound("path", path, message=f"Could not find the file {path} in container {name}") from None


COMMAND = Command(
    run,
    "[OPTIONS] CONTAINER:SRC_PATH DEST_PATH|-\n[OPTIONS] SRC_PATH|- CONTAINER:DEST_PATH",
    TWO,
    (
        Option("archive", "a", FLAG, "Archive mode (copy all uid/gid information)"),
        Option("follow-link", "L", FLAG, "Always follow symbol link in SRC_PATH"),
        Option(
            "quiet",
            "q",
            FLAG,
            "Suppress progress output during copy. Progress output is automatically suppressed "
            "if no terminal is attached",
        ),
    ),
    details="Use '-' as the source to read a tar archive from stdin\n"
    "and extract it to a directory destination in a container.\n"
    "Use '-' as the destination to stream a tar archive of a\n"
    "container source to stdout.",
)
