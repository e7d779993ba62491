"""What `run --rm` does, gone through without a process, a cgroup, a link or a mount that anybody could see.

A process that serves calls by forking pays here, before its first fork, what a first time costs each of its children:
decoders of records, specialised bytecode, compiled patterns, cached operations of the plan.
"""

from __future__ import annotations

import time
from contextlib import ExitStack

from jubako.engine import lifecycle, start
from jubako.engine.drivers import Drivers, find
from jubako.image import platform
from jubako.image.compose import write_image
from jubako.linux import cgroup
from jubako.runtime import executor, seccomp
from jubako.runtime.launch import Exit
from jubako.spec.oci_image import ContainerConfig, ImageConfig, RootFS

IMAGE = "rehearsal"


def add_image(drivers: Drivers) -> None:
    """Put an image without layers into the store, under the name IMAGE."""
    host = platform.host()
    config = ImageConfig(
        architecture=host.architecture,
        os=host.os,
        config=ContainerConfig(cmd=["/bin/true"]),
        rootfs=RootFS(diff_ids=[]),
    )
    with drivers.store.leases.hold("rehearsal"):
        drivers.images.put(IMAGE, write_image(drivers.store, config, []))


def start_and_end(drivers: Drivers, text: str) -> None:
    """Start the created container `text` up to its plan, and take it down as one that ended."""
    record = find(drivers, text)
    with drivers.locked(record.id), ExitStack() as undo:
        executor.plan_of(start.prepare(drivers, record, undo, attach=True))
        undo.pop_all()
    now_ns = time.time_ns()
    lifecycle.finish(drivers, record.id, known=Exit(0, started_ns=now_ns, finished_ns=now_ns))


def forget() -> None:
    """Look again, from now on, at what may change while the process lives: the mounts of groups, seccomp profiles."""
    cgroup.manager.cache_clear()
    seccomp.forget()
