"""jubako load."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

from jubako.cli.call import Call
from jubako.cli.command import NONE, Command
from jubako.cli.failure import Exit
from jubako.cli.options import FLAG, TEXT, Arguments, Option


def run(call: Call, arguments: Arguments) -> int:
    from jubako.cli.reporting import shown

    path, platform = arguments.text("input"), arguments.optional("platform")
    if not path and call.is_terminal(call.streams.stdin):
        raise Exit(1, "requested load from stdin, but stdin is empty")
    quiet = arguments.flag("quiet") or not call.is_terminal(call.streams.stdout)
    with shown(call, call.streams.stdout, quiet=quiet) as progress, _named(path):
        if path and os.path.isdir(path):
            from pathlib import Path

            images = call.engine.images.load(Path(path), platform=platform, progress=progress)
        else:
            with _opened(call, path) as source:
                images = call.engine.images.load(source, platform=platform, progress=progress)
    for image in images:
        for name in image.repo_tags:
            call.line(f"Loaded image: {name}")
        if not image.repo_tags:
            call.line(f"Loaded image ID: {image.id}")
    return 0


@contextmanager
def _named(path: str) -> Iterator[None]:
    """Say which archive it is that can not be loaded."""
    from jubako.errors import DataLoss, InvalidArgument

    try:
        yield
    except (DataLoss, InvalidArgument) as error:
        raise type(error)(f"{path or 'standard input'}: {error.message}", hint=error.hint) from error


def _opened(call: Call, path: str) -> BinaryIO:
    try:
        return open(path or call.streams.stdin, "rb", closefd=bool(path))
    except OSError as error:
        raise Exit(1, f"open {path}: {(error.strerror or '').lower()}") from None


COMMAND = Command(
    run,
    "[OPTIONS]",
    NONE,
    (
        Option("input", "i", TEXT, "Read from an archive file or an OCI layout directory, instead of STDIN"),
        Option("platform", "", TEXT, "Load only the image for this platform"),
        Option("quiet", "q", FLAG, "Suppress the load output"),
    ),
)
