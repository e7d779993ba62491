"""Whose a volume is: fsGroup for those that a pod has for itself, and who reads its token.

A tree that containers write to is walked by its fds, so that no symbolic link leads out of it.

Spec: core/v1 PodSecurityContext, fsGroup and fsGroupChangePolicy; k8s.io/kubernetes/pkg/volume/volume_linux.go.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

from jubako.cluster.types.document import Object, array, at, integer, objects

_SHARED_FILE, _SHARED_DIRECTORY = 0o660, 0o770 | stat.S_ISGID


def group_of(pod: Object) -> int:
    """Return the fsGroup, -1 where there is none."""
    return integer(at(pod, "spec", "securityContext", "fsGroup"), -1)


def user_of(pod: Object) -> int:
    """Return who all containers run as, -1 where they do not all say the same."""
    whole = at(pod, "spec", "securityContext", "runAsUser")
    containers = [each for kind in ("initContainers", "containers") for each in objects(array(at(pod, "spec", kind)))]
    users = {integer(own if (own := at(each, "securityContext", "runAsUser")) is not None else whole, -1)
             for each in containers}  # fmt: skip
    return users.pop() if len(users) == 1 else -1


def give(path: Path, pod: Object) -> None:
    """Give a volume and all in it to the pod's fsGroup, which may read and write."""
    group = group_of(pod)
    if group < 0:
        return
    policy = at(pod, "spec", "securityContext", "fsGroupChangePolicy")
    if policy == "OnRootMismatch" and _is_given(path.stat(), group):
        return
    for _, directories, files, fd in os.fwalk(path, follow_symlinks=False):
        for name in (*directories, *files):
            _give_one(name, fd, group)
    _give_one(str(path), None, group)


def _is_given(about: os.stat_result, group: int) -> bool:
    return about.st_gid == group and about.st_mode & _SHARED_DIRECTORY == _SHARED_DIRECTORY


def _give_one(name: str, parent: int | None, group: int) -> None:
    fd = os.open(name, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=parent)
    try:
        mode = os.fstat(fd).st_mode
        if stat.S_ISLNK(mode):
            return
        os.chown(f"/proc/self/fd/{fd}", -1, group)
        os.chmod(
            f"/proc/self/fd/{fd}", stat.S_IMODE(mode) | (_SHARED_DIRECTORY if stat.S_ISDIR(mode) else _SHARED_FILE)
        )
    finally:
        os.close(fd)
