"""User namespaces of an ordinary user: the id ranges it was given, and the helpers that write the maps.

Spec: user_namespaces(7), subuid(5), newuidmap(1).
"""

from __future__ import annotations

import os
from collections.abc import Sequence

from jubako.errors import FailedPrecondition
from jubako.spec.oci_runtime import IDMapping


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


def is_initial() -> bool:
    """Whether this process is in the user namespace that the machine started with, in which ids are what they seem."""
    with open("/proc/self/uid_map") as file:
        return file.read().split() == ["0", "0", str((1 << 32) - 1)]


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

    uid, gid = os.geteuid(), os.getegid()
    try:
        name = pwd.getpwuid(uid).pw_name
    except KeyError:
        name = str(uid)
    uids, gids = ranges("/etc/subuid", name, uid), ranges("/etc/subgid", name, uid)
    if not (uids and gids and _helper("newuidmap") and _helper("newgidmap")):
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


def map_with_helpers(pid: int, uids: Sequence[IDMapping], gids: Sequence[IDMapping]) -> None:
    """Let newuidmap and newgidmap write the maps of `pid`. Raises FailedPrecondition with what they said."""
    for name, maps in (("newuidmap", uids), ("newgidmap", gids)):
        program = _helper(name)
        if not program:
            raise FailedPrecondition(f"{name} is not installed", hint="apt install uidmap")
        numbers = [str(number) for m in maps for number in (m.container_id, m.host_id, m.size)]
        said = _complaint([program, str(pid), *numbers])
        if said is not None:
            raise FailedPrecondition(f"{name} failed: {said}", hint="see /etc/subuid and /etc/subgid")


def _complaint(argv: list[str]) -> str | None:
    """Run a helper; what it wrote to standard error when it failed, None when it did not."""
    reader, writer = os.pipe()
    try:
        actions = [(os.POSIX_SPAWN_OPEN, 0, "/dev/null", os.O_RDWR, 0), (os.POSIX_SPAWN_DUP2, writer, 2)]
        pid = os.posix_spawn(argv[0], argv, {}, file_actions=actions)
    finally:
        os.close(writer)
    with open(reader, encoding="utf-8", errors="replace") as output:
        said = output.read(4096).strip()
    return said if os.waitpid(pid, 0)[1] else None


def _helper(name: str) -> str | None:
    for directory in ("/usr/bin", "/usr/local/bin", "/bin"):
        path = f"{directory}/{name}"
        if os.access(path, os.X_OK):
            return path
    return None
