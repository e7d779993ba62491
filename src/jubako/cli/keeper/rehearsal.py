"""What calls do most, done by the keeper before its first fork, so that no call does it for the first time.

The interpreter specialises bytecode that ran a few times, and records, plans and patterns are cached when they are
first used; a child of the keeper takes all that over, and loses what it learns itself. Without this a `run` takes a
fifth longer. State is in a directory of the keeper's own beside its socket; what a killed one left, the next removes.
"""

from __future__ import annotations

import os
from contextlib import suppress

from jubako.store.removal import discard_tree

ROUNDS = 10  # bytecode is specialised after eight
_COMMAND = ("create", "--rm", "--network", "none")


def rehearse(directory: str) -> None:
    """Go through it in `directory`, which is gone afterwards. A rehearsal that fails helps less, and harms nothing."""
    discard_tree(directory)
    try:
        with suppress(Exception):
            os.mkdir(directory, 0o700)
            _run(f"{directory}/root", f"{directory}/run")
    finally:
        discard_tree(directory)


def _run(root: str, run_root: str) -> None:
    from jubako.cli import main
    from jubako.engine import Engine, rehearsal

    with Engine(root, run_root) as engine:
        rehearsal.add_image(engine.drivers)
    name = "rehearsed"
    for _ in range(ROUNDS):
        main(["--root", root, "--run-root", run_root, *_COMMAND, "--name", name, rehearsal.IMAGE, "/bin/true"])
        with Engine(root, run_root) as engine:
            rehearsal.start_and_end(engine.drivers, name)
