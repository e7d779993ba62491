"""The control groups that a keeper is in.

An engine calls its runtime from groups that it removes later: of a pod, or of a container's helper. A keeper that was
left in one would be in the way for minutes. So root's keeper for jubako-oci goes to a group of its own, and what a call
starts itself (hooks) is first brought to where its caller is. The executor is there anyway: the front starts it.

Moved is always the one thread, by itself: the kernel then takes no lock of all processes (docs/adr/0002).
"""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Iterator
from contextlib import suppress

PARENT = "jubako"  # as in jubako.linux.cgroup, whose import could fail here and be nobody's to report
KEEPERS = f"{PARENT}/:keepers"  # no container is called so
ROOT, MOUNT_POINT = 3, 4  # fields of /proc/self/mountinfo, counted from 0
_TRIES, _PAUSE_S = 10, 0.005
_NO_CONTROLLERS = frozenset({"rw", "ro", "xattr", "noprefix", "clone_children", "cpuset_v2_mode", "nsdelegate"})


def leave() -> None:
    """Go from every group that is somebody's to the keepers', as far as one may."""
    own = _own()
    for controllers, directory, _ in _hierarchies():
        if own.get(controllers, "/") == "/":
            continue
        with suppress(OSError):
            group = os.path.join(directory, KEEPERS)
            os.makedirs(group, exist_ok=True)
            if "cpuset" in controllers:
                _fill_cpuset(directory)
            _join(controllers, group)


def tidy() -> None:
    """Remove the keepers' group, unless one is in it."""
    own = _own()
    for controllers, directory, _ in _hierarchies():
        with suppress(OSError):
            if own.get(controllers) == f"/{KEEPERS}":
                _join(controllers, directory)
            _remove(os.path.join(directory, KEEPERS))


def _remove(group: str) -> None:
    """A process that has ended is in its group until it has been switched out (kernel/cgroup/cgroup.c)."""
    for _ in range(_TRIES):
        try:
            os.rmdir(group)
            return
        except OSError as error:
            if error.errno != errno.EBUSY:
                return
        time.sleep(_PAUSE_S)


def join(groups: str) -> None:
    """Go to `groups`, the text of another process's /proc/<pid>/cgroup. Raises OSError."""
    theirs, own = _parsed(groups), _own()
    for controllers, directory, root in _hierarchies():
        path = theirs.get(controllers, "")
        if path and path != own.get(controllers):
            _join(controllers, os.path.join(directory, path.removeprefix(root).lstrip("/")))


def _own() -> dict[str, str]:
    with open("/proc/self/cgroup") as file:
        return _parsed(file.read())


def _parsed(text: str) -> dict[str, str]:
    """Path by controllers, "" for v2."""
    lines = (line.split(":", 2) for line in text.splitlines())
    return {controllers: path for _, controllers, path in lines}


def _hierarchies() -> Iterator[tuple[str, str, str]]:
    """Controllers, mount point and root of each that is mounted."""
    seen = set()
    with open("/proc/self/mountinfo") as file:
        for line in file:
            head, _, tail = line.rstrip("\n").partition(" - ")
            kind, _, options = tail.split(" ", 2)
            if kind not in ("cgroup", "cgroup2"):
                continue
            controllers = _controllers(options) if kind == "cgroup" else ""
            if controllers not in seen:
                seen.add(controllers)
                fields = head.split(" ")
                yield controllers, fields[MOUNT_POINT], fields[ROOT].rstrip("/")


def _controllers(options: str) -> str:
    names = (name for name in options.split(",") if name not in _NO_CONTROLLERS)
    return ",".join(name for name in names if not name.startswith("release_agent="))


def _join(controllers: str, group: str) -> None:
    with open(os.path.join(group, "tasks" if controllers else "cgroup.procs"), "w") as file:
        file.write("0")


def _fill_cpuset(directory: str) -> None:
    """A v1 cpuset takes no process before it has processors and memory nodes."""
    for name in ("cpuset.cpus", "cpuset.mems"):
        with open(os.path.join(directory, name)) as file:
            all_of_them = file.read()
        for group in (PARENT, KEEPERS):
            path = os.path.join(directory, group, name)
            with open(path) as file:
                if file.read().strip():
                    continue
            with open(path, "w") as file:
                file.write(all_of_them)
