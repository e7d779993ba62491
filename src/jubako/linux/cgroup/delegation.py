"""What control groups one may have who is not root of the machine: a choice of three, on cgroup v2 alone.

systemd    the user's own systemd makes a scope for each container
a group    jubako/ beneath the nearest group above this process that is the user's and has no processes; none of a
           systemd's inner ones
none       and why, and what to do about it

A group of v2 either has processes or gives its controllers to those beneath it. So the command's own group, in which
the user's shell is as a rule, can not be the one; nobody is moved out of it.

Spec: cgroups(7), "Cgroup delegation"; kernel admin-guide cgroup-v2, "No Internal Process Constraint", "Delegation
      Containment".
"""

from __future__ import annotations

import os

import msgspec

from jubako.errors import FailedPrecondition, JubakoError
from jubako.linux import systemd as users_systemd
from jubako.linux.cgroup.files import read_text
from jubako.linux.cgroup.seam import SYSTEMD, hierarchies

_DELEGATED = ("cgroup.procs", "cgroup.subtree_control")


class Level(msgspec.Struct, frozen=True):
    """A group on the way up: its path from the hierarchy's root, whether it is the user's, what it could give on."""

    path: str
    is_own: bool
    has_processes: bool
    controllers: frozenset[str] = frozenset()


class Found(msgspec.Struct, frozen=True):
    """What the choice rests on. `levels` begin with the process's own group; `trouble` is why there is no systemd of
    the user's, "" where systemd does not run at all."""

    is_v2: bool
    has_systemd: bool = False
    trouble: str = ""
    systemd_controllers: frozenset[str] = frozenset()
    levels: tuple[Level, ...] = ()


class Delegation(msgspec.Struct, frozen=True):
    """`place` is "systemd", the path of a group, or "" for none: then `reason` and `hint` say why, and what to do."""

    place: str = ""
    controllers: frozenset[str] = frozenset()
    reason: str = ""
    hint: str = ""


def choose(found: Found) -> Delegation:
    """The best of what was found."""
    if not found.is_v2:
        return Delegation(reason="ordinary users have control groups on cgroup v2 alone", hint="sudo jubako …")
    if found.has_systemd:
        return Delegation(SYSTEMD, found.systemd_controllers)
    own = [level for level in found.levels if level.is_own and not _is_systemds(level.path)]
    for level in own:
        if not level.has_processes:
            return Delegation(level.path, level.controllers)
    return _none(found, own)


def _is_systemds(path: str) -> bool:
    """Whether what lies in it is a systemd's to make, which takes back controllers that no unit of its own needs."""
    name = os.path.basename(path)
    return name.endswith(".slice") or name.startswith("user@")


def _none(found: Found, own: list[Level]) -> Delegation:
    if own:
        path = own[0].path.rstrip("/")
        return Delegation(
            reason=f"the control group {path or '/'} is this user's, but has processes: no limits beneath it",
            hint=f"cd /sys/fs/cgroup{path} && mkdir shell && echo $$ >shell/cgroup.procs",
        )
    if found.trouble:
        return Delegation(
            reason=f"the user's own systemd would make the control groups, but {found.trouble}",
            hint="apt-get install dbus-user-session; sudo loginctl enable-linger $USER; log in anew",
        )
    path = found.levels[0].path if found.levels else "/"
    return Delegation(
        reason=f"the control group {path} is not delegated to this user",
        hint="as root, of a group above it: chown USER . cgroup.procs cgroup.subtree_control, or run systemd",
    )


def look(*, systemd: bool) -> Found:
    """What this machine has; `systemd` says whether to ask the user's own."""
    mounted = hierarchies()
    if mounted.v1 or not mounted.unified:
        return Found(is_v2=False)
    levels = tuple(_level(mounted.unified, path) for path in _upwards(own_group(os.getpid())))
    found = Found(is_v2=True, levels=levels)
    return _with_systemd(found, mounted.unified) if systemd else found


def _with_systemd(found: Found, root: str) -> Found:
    if not (users_systemd.runs() and users_systemd.is_users()):
        return found
    try:
        with users_systemd.Systemd() as manager:
            controllers = _controllers(root + manager.control_group())
    except (JubakoError, OSError) as error:
        return msgspec.structs.replace(found, trouble=str(error))
    return msgspec.structs.replace(found, has_systemd=True, systemd_controllers=controllers)


def own_group(pid: int) -> str:
    """Its path on the unified hierarchy, as seen from this cgroup namespace."""
    lines = read_text(f"/proc/{pid}/cgroup").splitlines()
    return next((line[3:] for line in lines if line.startswith("0::")), "/")


def _upwards(path: str) -> list[str]:
    """The group and all above it; none from outside of the cgroup namespace, as which `..` is shown."""
    if ".." in path.split("/"):
        return []
    parts = [part for part in path.split("/") if part]
    return ["/" + "/".join(parts[:end]) for end in range(len(parts), -1, -1)]


def _level(root: str, path: str) -> Level:
    directory = root + path
    is_own = os.access(directory, os.W_OK) and all(os.access(f"{directory}/{name}", os.W_OK) for name in _DELEGATED)
    if not is_own:
        return Level(path, is_own=False, has_processes=False)
    return Level(path, is_own=True, has_processes=_has_processes(directory), controllers=_controllers(directory))


def _has_processes(directory: str) -> bool:
    """One that can have none, being threaded, is of no use either: its file can not be read."""
    try:
        return bool(read_text(f"{directory}/cgroup.procs"))
    except OSError:
        return True


def _controllers(directory: str) -> frozenset[str]:
    return frozenset(read_text(f"{directory}/cgroup.controllers").split())


def has_way(pid: int, directory: str) -> bool:
    """Whether the process may put others into the group at `directory`: the lowest group above both must be the
    user's."""
    common = os.path.commonpath([hierarchies().unified + own_group(pid), directory])
    return os.access(f"{common}/cgroup.procs", os.W_OK)


def check_way(pid: int, directory: str) -> None:
    """Raise FailedPrecondition where it may not."""
    if not has_way(pid, directory):
        raise FailedPrecondition(
            f"this command is in the control group {own_group(pid)}, from where nothing gets into {directory}",
            hint="run it from where the container was started",
        )
