"""User namespaces of an ordinary user: the id ranges it was given, the maps, and who writes them.

Spec: user_namespaces(7), subuid(5), newuidmap(1), ioctl_nsfs(2).
"""

from __future__ import annotations

import fcntl
import functools
import os
from collections.abc import Iterable, Sequence

from jubako.errors import FailedPrecondition
from jubako.spec.oci_runtime import IDMapping

_NS_GET_USERNS = 0xB701  # linux/nsfs.h

_user: list[int] = []


def ranges(path: str, user: str, uid: int) -> list[tuple[int, int]]:
    """The (start, count) ranges that /etc/subuid or /etc/subgid gives to `user`, by name or number."""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            lines = file.read().splitlines()
    except FileNotFoundError:
        return []
    found = []
    for line in lines:
        fields = line.strip().split(":")
        if len(fields) == 3 and fields[0] in (user, str(uid)) and fields[1].isdecimal() and fields[2].isdecimal():
            found.append((int(fields[1]), int(fields[2])))
    return [pair for pair in found if pair[1] > 0]


@functools.cache
def is_initial() -> bool:
    """Whether this process is in the user namespace that the machine started with, in which ids are what they seem."""
    with open("/proc/self/uid_map") as file:
        return file.read().split() == ["0", "0", str((1 << 32) - 1)]


def is_machine_root() -> bool:
    """Whether this process is root, and not of a user namespace."""
    return os.geteuid() == 0 and is_initial()


def user() -> int:
    """Whose process this is, also where it became root of a namespace of its own (nested.enter)."""
    return _user[0] if _user else os.geteuid()


def outer_user() -> int:
    """What this process's user is one user namespace further out; itself where there is none."""
    uid = os.geteuid()
    with open("/proc/self/uid_map") as file:
        for line in file:
            first, outside, size = map(int, line.split())
            if first <= uid < first + size:
                return outside + uid - first
    return uid


def became_root(uid: int) -> None:
    """This process is root of a user namespace from now on, and was `uid` until then."""
    _user[:] = [uid]
    is_initial.cache_clear()


def owns_network() -> bool:
    """Whether root of this process's user namespace is that of its network namespace too, and may make links there."""
    network = os.open("/proc/self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.close(fcntl.ioctl(network, _NS_GET_USERNS))
    except PermissionError:  # the owner is further out than this process can see
        return False
    finally:
        os.close(network)
    return True


def maps_one_id() -> bool:
    """Whether there is but one user in this process's user namespace."""
    with open("/proc/self/uid_map") as file:
        return sum(int(line.split()[2]) for line in file) == 1


def has_group(gid: int) -> bool:
    """Whether the group is mapped in this process's user namespace."""
    with open("/proc/self/gid_map") as file:
        maps = [tuple(map(int, line.split())) for line in file]
    return any(first <= gid < first + size for first, _, size in maps)


def denies_groups() -> bool:
    """Whether setgroups(2) is denied here, and so in every user namespace beneath."""
    with open("/proc/self/setgroups") as file:
        return file.read().strip() == "deny"


def mappings() -> tuple[list[IDMapping], list[IDMapping]]:
    """Root in the namespace is this user, further ids are its ranges; only itself where there are no ranges or
    no helpers (newuidmap and newgidmap, Debian's `uidmap`)."""
    import pwd

    from jubako.linux import helper  # not on the way of root's commands

    uid, gid = os.geteuid(), os.getegid()
    try:
        name = pwd.getpwuid(uid).pw_name
    except KeyError:
        name = str(uid)
    uids, gids = ranges("/etc/subuid", name, uid), ranges("/etc/subgid", name, uid)
    if not (uids and gids and helper.find("newuidmap") and helper.find("newgidmap")):
        uids = gids = []
    return _with_ranges(uid, uids), _with_ranges(gid, gids)


def _with_ranges(own: int, given: Sequence[tuple[int, int]]) -> list[IDMapping]:
    maps = [IDMapping(container_id=0, host_id=own, size=1)]
    following = 1
    for start, count in given:
        maps.append(IDMapping(container_id=following, host_id=start, size=count))
        following += count
    return maps


def is_own_id(uids: Sequence[IDMapping], gids: Sequence[IDMapping]) -> bool:
    """Whether the maps are ones that an ordinary user may write without help: its own single ids."""
    return (
        len(uids) == len(gids) == 1
        and (uids[0].host_id, uids[0].size) == (os.geteuid(), 1)
        and (gids[0].host_id, gids[0].size) == (os.getegid(), 1)
    )


def map_ids(pid: int, uids: Sequence[IDMapping], gids: Sequence[IDMapping]) -> None:
    """Write the maps of the new user namespace that `pid` is in, in whichever way this process may. OSError, and as
    map_with_helpers."""
    is_own = is_own_id(uids, gids)
    if os.geteuid() and not is_own:
        map_with_helpers(pid, uids, gids)
        return
    if os.geteuid():
        _write(pid, "setgroups", "deny")  # user_namespaces(7): before a group is mapped without privilege
    _write(pid, "uid_map", map_text(uids))
    _write(pid, "gid_map", map_text(gids))


def map_text(mappings: Iterable[IDMapping]) -> str:
    """The lines of /proc/<pid>/uid_map."""
    return "".join(f"{m.container_id} {m.host_id} {m.size}\n" for m in mappings)


def _write(pid: int, name: str, text: str) -> None:
    with open(f"/proc/{pid}/{name}", "w") as file:
        file.write(text)


def map_with_helpers(pid: int, uids: Sequence[IDMapping], gids: Sequence[IDMapping]) -> None:
    """Let newuidmap and newgidmap write the maps of `pid`. Raises FailedPrecondition with what they said."""
    from jubako.linux import helper

    for name, maps in (("newuidmap", uids), ("newgidmap", gids)):
        program = helper.find(name)
        if not program:
            raise FailedPrecondition(f"{name} is not installed", hint="apt install uidmap")
        numbers = [str(number) for m in maps for number in (m.container_id, m.host_id, m.size)]
        said = helper.complaint([program, str(pid), *numbers])
        if said is not None:
            raise FailedPrecondition(f"{name} failed: {said}", hint="see /etc/subuid and /etc/subgid")
