"""What `jubako-oci run` and `exec` do, gone through without a process, a cgroup or a mount.

What it is good for stands in jubako.engine.rehearsal.
"""

from __future__ import annotations

import os

from jubako.linux import cgroup
from jubako.runtime import executor
from jubako.runtime.launch import Launch
from jubako.runtime.oci import arguments, bundle, ending, execution, hooks
from jubako.runtime.oci.arguments import Arguments
from jubako.runtime.oci.containers import Containers, Record
from jubako.runtime.oci.example import specification
from jubako.runtime.oci.log import Log
from jubako.spec import oci_runtime

_NAME = "rehearsed"


def make_bundle(directory: str) -> str:
    """A bundle of the example specification in `directory`; returns its path."""
    path = f"{directory}/bundle"
    os.makedirs(f"{path}/rootfs")
    with open(f"{path}/config.json", "wb") as file:
        file.write(oci_runtime.encode(specification(rootless=False)))
    return path


def create_and_delete(directory: str, path: str) -> None:
    """Create a container of the bundle at `path` up to its plan, plan an exec, look at its state, and delete it."""
    asked = _parsed("run", "--bundle", path, _NAME)
    spec, config = bundle.load(asked.option("bundle"), Log())
    hooks.of(spec)
    containers = Containers(f"{directory}/state")
    container = containers.make(Record(_NAME, path, "", ""), config)
    launch = Launch(spec=spec, run_dir=container.directory, stdio="inherit", listen=False)
    executor.plan_of(launch)
    container.save()
    launch.spec.process = execution.process_of(container.spec(), _parsed("exec", _NAME, "/bin/true"))
    executor.plan_of(launch)
    container = containers.load(_NAME)
    container.state()
    ending.delete(container, force=True)


def _parsed(*words: str) -> Arguments:
    found = Arguments()
    arguments.parse(list(words), found)
    return found


def forget() -> None:
    """Look again, from now on, at what may change while the process lives: the mounts of groups."""
    cgroup.manager.cache_clear()
