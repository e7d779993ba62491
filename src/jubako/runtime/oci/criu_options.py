"""What checkpoint and restore take from the command line, and what both tell criu of a container.

What comes from outside is external to criu, by its place in the container: it is not saved, and at restore it is taken
from where the bundle says, never from what the images say.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

from jubako.errors import InvalidArgument, NotFound
from jubako.linux import openat2
from jubako.linux.cgroup import CgroupHandle
from jubako.runtime import defaults, mount_options
from jubako.runtime.namespaces import FLAGS, file_of, in_user_namespace
from jubako.runtime.oci.arguments import Arguments
from jubako.runtime.oci.criu import Options
from jubako.spec.oci_runtime import Linux, Spec

DESCRIPTORS = "descriptors.json"
NULL = "/dev/null"
_DEFAULT_CONFIG = "/etc/criu/runc.conf"
_CGROUP_MODES = {"soft": 3, "full": 4, "strict": 5}
_FLAGS = ("tcp-established", "ext-unix-sk", "shell-job", "file-locks", "auto-dedup", "lazy-pages")
EXTERNAL_NAMESPACES = ("network", "pid")


def image_path(arguments: Arguments) -> str:
    return os.path.abspath(arguments.option("image-path") or "checkpoint")


def work_path(arguments: Arguments) -> str:
    """Where criu works and writes its log."""
    given = arguments.option("work-path")
    return os.path.abspath(given) if given else image_path(arguments)


def open_directory(path: str, *, make: bool) -> int:
    """The caller closes it. Raises NotFound."""
    if make:
        os.makedirs(path, mode=0o700, exist_ok=True)
    try:
        return os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except FileNotFoundError:
        raise NotFound("directory", path, message=f"{path}: no such directory") from None


def common(arguments: Arguments, annotations: dict[str, str]) -> Options:
    """The options that both commands have. Raises InvalidArgument naming the one that is wrong."""
    options = Options(log_level=4, manage_cgroups=True, notify_scripts=True, orphan_pts_master=True)
    for name in _FLAGS:
        options.add(name.replace("-", "_"), arguments.given(name))
    for name in arguments.lists.get("empty-ns", []):
        if name != "network":
            raise InvalidArgument(f'namespace "{name}" is not supported')
    options.add("empty_ns", FLAGS["network"])  # devices of a network are whoever's who made them
    if mode := arguments.option("manage-cgroups-mode"):
        if mode not in _CGROUP_MODES:
            raise InvalidArgument("Invalid manage cgroups mode")
        options.add("manage_cgroups_mode", _CGROUP_MODES[mode])
    if config := annotations.get("org.criu.config", _DEFAULT_CONFIG):
        options.add("config_file", config)
    return options


def external_mounts(spec: Spec, group: CgroupHandle | None, root: str) -> Iterator[tuple[str, str]]:
    """(place in the container, what is bound there). Links in places are followed beneath `root`."""
    linux = spec.linux or Linux()
    for mount in spec.mounts:
        if mount_options.parse(mount).bind:
            yield resolved(root, mount.destination), mount.source
        elif mount.type in ("cgroup", "cgroup2") and "cgroup" not in {n.type for n in linux.namespaces}:
            for source, name in group.mounts() if group else ():
                yield os.path.join(resolved(root, mount.destination), name).rstrip("/"), source
    if in_user_namespace(linux):  # in which nodes can not be made
        for path in {*(f"/dev/{name}" for name, _, _ in defaults.DEVICES), *(device.path for device in linux.devices)}:
            yield path, path


def resolved(root: str, path: str) -> str:
    """The path beneath `root` that `path` leads to there; itself where nothing is."""
    top = os.open(root, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fd = openat2.open_in_root(top, path, os.O_PATH)
    except OSError:
        return os.path.normpath(path)
    finally:
        os.close(top)
    try:
        found = os.readlink(f"/proc/self/fd/{fd}")
    finally:
        os.close(fd)
    return found.removeprefix(os.path.realpath(root).rstrip("/")) or "/"


def external_key(kind: str) -> str:
    """What stands for a namespace that is not the container's own; runc's, so that images can be exchanged."""
    return f"extRoot{file_of(kind).title()}NS"
