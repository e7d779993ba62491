"""Clusters come up, go down and are thrown away. Spec: the subcommands of `jubako cluster`."""

from __future__ import annotations

import os
import select
import shutil
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TYPE_CHECKING

from jubako.cluster.place import Place, Running
from jubako.errors import NotFound, PermissionDenied, Unavailable

if TYPE_CHECKING:
    from jubako.cluster.node.engine import NodeEngine

_UP_S, _DOWN_S = 120.0, 60.0  # one that ends before says so at once; a slow machine takes its time
_AT_ONCE = 8  # pods that are removed; most of the time they wait for the kernel


def up(place: Place, host: str = "127.0.0.1", port: int = 0, audit: str = "metadata") -> Running:
    """Start the control plane, and return it once it serves; one that is there already stays as it is.

    Raises Unavailable with the end of its log.
    """
    if found := place.running():
        return found
    shutil.rmtree(place.doomed, ignore_errors=True)
    place.state.mkdir(mode=0o700, parents=True, exist_ok=True)
    command = [sys.executable, "-m", "jubako.cluster.serve", place.name, *map(str, (place.root, place.run_root))]
    with open(place.log, "ab") as log:
        process = subprocess.Popen(
            [*command, host, str(port), audit],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
            start_new_session=True,
            cwd="/",
        )
    if _says_ready(process) and (found := place.running()):
        return found
    process.kill()
    process.wait()
    if found := place.running():
        return found  # another one was quicker
    raise Unavailable(f"cluster {place.name} did not come up: {_last_words(place)}", hint=f"see {place.log}")


def _says_ready(process: subprocess.Popen[bytes]) -> bool:
    assert process.stdout is not None
    with process.stdout as stream:
        return bool(select.select([stream], [], [], _UP_S)[0]) and stream.readline() == b"ready\n"


def _last_words(place: Place) -> str:
    lines = place.log.read_text(errors="replace").strip().splitlines()
    return lines[-1] if lines else "it said nothing"


def down(place: Place) -> bool:
    """Stop the control plane, and wait for its end; False where there was none. What runs goes on running."""
    found = place.running()
    if found is None:
        return False
    try:
        process = os.pidfd_open(found.pid)
    except ProcessLookupError:
        return False
    try:
        # The number may have become another's between the two looks: whoever holds the lock now is asked.
        if place.running() != found:
            return False
        signal.pidfd_send_signal(process, signal.SIGTERM)
        if not select.select([process], [], [], _DOWN_S)[0]:
            signal.pidfd_send_signal(process, signal.SIGKILL)
            select.select([process], [], [])
    finally:
        os.close(process)
    return True


def reset(place: Place) -> None:
    """Stop the cluster and throw away all that it was, its pods first. Raises NotFound."""
    if not place.state.exists():
        raise NotFound("cluster", place.name)
    from jubako.cluster.dns import finding
    from jubako.cluster.node.engine import NodeEngine

    down(place)
    with place.held():
        engine = NodeEngine(place.root, place.run_root, place.name)
        _remove_pods(engine)
        _remove_rules(place, engine)
        finding.stop(place.run_directory)
        # Its name goes first, so that a half that is left after a kill is no cluster.
        doomed = place.doomed
        shutil.rmtree(doomed, ignore_errors=True)
        place.state.rename(doomed)
        shutil.rmtree(doomed)
        shutil.rmtree(place.memory, ignore_errors=True)


def _remove_pods(engine: NodeEngine) -> None:
    with ThreadPoolExecutor(_AT_ONCE) as threads:
        for _ in threads.map(engine.remove, engine.sandboxes().values()):
            pass


def _remove_rules(place: Place, engine: NodeEngine) -> None:
    from jubako.cluster.addressing import addresses
    from jubako.cluster.proxy import kernel

    with suppress(PermissionDenied, Unavailable):  # there, none were made either
        kernel.remove(place.table)
        engine.lead_no_more(str(addresses(place).network))


def require(place: Place) -> Running:
    """Return the control plane. Raises Unavailable where there is none."""
    found = place.running()
    if found is None:
        raise Unavailable(f"cluster {place.name} is not running", hint=f"jubako cluster up --name {place.name}")
    return found
