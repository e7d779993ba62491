"""How a build shows itself: `--progress`, or the environment's BUILDKIT_PROGRESS, or what standard error is."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TextIO

from jubako.cli.call import Call
from jubako.cli.failure import Exit
from jubako.cli.options import TEXT, Option

if TYPE_CHECKING:
    from jubako.build.progress import BuildProgress

MODES = ("auto", "none", "plain", "quiet", "rawjson", "tty")
PROGRESS = Option("progress", "", TEXT, f"Set type of progress output ({', '.join(MODES)})", "auto")


@contextmanager
def build_progress(call: Call, mode: str) -> Iterator[BuildProgress]:
    """Lend the progress of `mode`, on standard error."""
    if mode == "auto":
        mode = os.environ.get("BUILDKIT_PROGRESS") or "auto"
    if mode not in MODES:
        raise Exit(1, f"invalid progress mode {mode}: it is one of {', '.join(MODES)}")
    fd = call.streams.stderr
    is_terminal = call.is_terminal(fd)
    if mode == "tty" and not is_terminal:
        raise Exit(1, "failed to get console: standard error is not a terminal")
    if mode == "tty" or (mode == "auto" and is_terminal):
        from jubako.cli.build_view import BuildView

        call.enter_own_root()  # which a process with threads, as the view has one, can not
        with BuildView(fd) as view:
            yield view
        return
    with open(fd, "w", closefd=False) as stream:
        yield _written(mode, stream)


def _written(mode: str, stream: TextIO) -> BuildProgress:
    from jubako.build.progress import PlainProgress, Silent
    from jubako.build.rawprogress import RawProgress

    if mode in ("quiet", "none"):
        return Silent()
    return RawProgress(stream) if mode == "rawjson" else PlainProgress(stream)
