"""Control files of a group, and the removal of a group with those beneath it."""

from __future__ import annotations

import contextlib
import errno
import os
import time
from collections.abc import Callable, Iterable, Iterator

from jubako.errors import FailedPrecondition, InvalidArgument, NotFound
from jubako.linux.cgroup.seam import is_ours

_TIMEOUT_S = 2.0


def inner(directory: str, path: str, *, missing_ok: bool = False) -> str:
    """The group `path` beneath `directory`, or that one itself when the other may be missing and is.

    Raises InvalidArgument when it is not beneath, NotFound when it is not there.
    """
    if not path.strip("/"):
        return directory
    if any(part == ".." for part in path.split("/")):
        raise InvalidArgument(f"{path} is not a sub cgroup path")
    found = f"{directory}/{path.strip('/')}"
    if not os.path.isdir(found):
        if missing_ok:
            return directory
        message = f"adding pid of the process to cgroups failed: {found}/cgroup.procs: no such file or directory"
        raise NotFound("cgroup", found, message=message)
    return found


def read_text(path: str) -> str:
    """The text of a control file."""
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        parts = []
        with gone_is_missing(path):
            while part := os.read(fd, 65536):
                parts.append(part)
        return b"".join(parts).decode()
    finally:
        os.close(fd)


@contextlib.contextmanager
def gone_is_missing(path: str) -> Iterator[None]:
    """A group that goes while its file is open says ENODEV: that is one that is not there."""
    try:
        yield
    except OSError as error:
        if error.errno == errno.ENODEV:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path) from None
        raise


def write_text(path: str, text: str) -> None:
    """Write a control file in one write; OSError has the path and the text."""
    fd = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    try:
        os.write(fd, text.encode())
    except OSError as error:
        raise OSError(error.errno, f"{error.strerror}, writing {text!r}", path) from None
    finally:
        os.close(fd)


def read_table(path: str) -> dict[str, int]:
    """A file of `key value` lines."""
    return {key: int(value) for key, _, value in (line.partition(" ") for line in read_text(path).splitlines())}


def remove_above(directory: str, name: str) -> None:
    """rmdir what stands above the group `name` at `directory`, up to our own subtree, as far as it is empty."""
    if not is_ours(name):
        return
    for _ in range(name.strip("/").count("/")):
        directory = os.path.dirname(directory)
        try:
            os.rmdir(directory)
        except OSError:
            return


def remove_tree(directory: str, kill_all: Callable[[], None] | None) -> None:
    """rmdir the group and those beneath it; a group with processes is killed first, then waited for."""
    deadline = time.monotonic() + _TIMEOUT_S
    killed = False
    while True:
        try:
            return os.rmdir(directory)
        except FileNotFoundError:
            return None
        except OSError as error:
            if time.monotonic() > deadline:
                raise OSError(error.errno, "processes are left in the cgroup", directory) from None
        if kill_all and not killed:
            killed = True
            kill_all()
        with os.scandir(directory) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    remove_tree(entry.path, None)
        time.sleep(0.001)


def wait_for(condition: Callable[[], bool]) -> bool:
    """Until `condition` holds, or for two seconds; tells whether it does."""
    deadline = time.monotonic() + _TIMEOUT_S
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.001)
    return True


def is_frozen(directory: str) -> bool:
    """Whether all processes of a group of the unified hierarchy stand still; not so where there is no group."""
    try:
        return read_table(f"{directory}/cgroup.events").get("frozen") == 1
    except FileNotFoundError:
        return False


def set_frozen(directory: str, *, frozen: bool) -> bool:
    """Have them stand still or go on, and wait for it; tells whether they do."""
    path = f"{directory}/cgroup.freeze"
    with gone_is_missing(path):
        write_text(path, "1" if frozen else "0")
    return wait_for(lambda: is_frozen(directory) == frozen)


def pids_of(directory: str) -> list[int]:
    """Processes in a group and beneath it; none where there is no group.

    v2 lists as 0 who is not in this pid namespace, or ends just then. To kill(2) and cgroup.procs that is oneself.
    """
    found: list[int] = []
    for path, _, files in os.walk(directory):
        if "cgroup.procs" in files:
            found += filter(None, map(int, read_text(f"{path}/cgroup.procs").split()))
    return found


def take_over(directory: str, name: str) -> None:
    """Remove the group `name` at `directory` that was left behind, if it is in our own subtree; any other stays.

    One with processes is somebody's: it is refused in runc's words.
    """
    if pids := pids_of(directory):
        raise FailedPrecondition(f"container's cgroup is not empty: {len(pids)} process(es) found")
    if is_ours(name):
        remove_tree(directory, None)


def enable(directory: str, controllers: Iterable[str], *, levels: int) -> None:
    """Let a group of v2 have `controllers`, from `levels` groups above it downwards, as far as that is allowed."""
    above = directory.rsplit("/", levels)
    for level in range(levels):
        parent = "/".join(above[: level + 1])
        available = set(read_text(f"{parent}/cgroup.controllers").split())
        present = set(read_text(f"{parent}/cgroup.subtree_control").split())
        for name in sorted(set(controllers) & available - present):
            with contextlib.suppress(OSError):  # processes in `parent` itself, or a controller that is not delegated
                write_text(f"{parent}/cgroup.subtree_control", f"+{name}")
