"""What calls do most, done by the keeper before its first fork, so that no call does it for the first time.

The interpreter specialises bytecode that ran a few times, and records, plans and patterns are cached when they are
first used; a child of the keeper takes all that over, and loses what it learns itself. Without this a `run` takes a
fifth longer. State is in a directory of the keeper's own beside its socket; what a killed one left, the next removes.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from contextlib import suppress

ROUNDS = 10  # bytecode is specialised after eight
_COMMAND = ("create", "--rm", "--network", "none")


def rehearse(go_through: Callable[[str], None], directory: str) -> None:
    """Do it in `directory`, which is gone afterwards. A rehearsal that fails helps less, and harms nothing."""
    discard(directory)
    try:
        with suppress(Exception):
            os.mkdir(directory, 0o700)
            go_through(directory)
    finally:
        discard(directory)


def discard(directory: str) -> None:
    """Remove what a rehearsal has, or left."""
    shutil.rmtree(directory, ignore_errors=True)


def go_through_run(root: str, run_root: str) -> None:
    """Do what `jubako run --rm` does, short of running anything, on an engine of these directories.

    Root only: ordinary users run no containers, and their calls enter a user namespace, where no keeper may go.
    """
    if os.geteuid() != 0:
        return
    from jubako.cli import main
    from jubako.engine import Engine, rehearsal

    with Engine(root, run_root) as engine:
        rehearsal.add_image(engine.drivers)
    name = "rehearsed"
    try:
        for _ in range(ROUNDS):
            main(["--root", root, "--run-root", run_root, *_COMMAND, "--name", name, rehearsal.IMAGE, "/bin/true"])
            with Engine(root, run_root) as engine:
                rehearsal.start_and_end(engine.drivers, name)
    finally:
        rehearsal.forget()


def go_through_bundle(directory: str) -> None:
    """Do what `jubako-oci` does with a bundle, short of running it."""
    from jubako.runtime.oci import rehearsal

    bundle = rehearsal.make_bundle(directory)
    try:
        for _ in range(ROUNDS):
            rehearsal.create_and_delete(directory, bundle)
    finally:
        rehearsal.forget()
