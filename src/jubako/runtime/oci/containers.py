"""The state directory of one runtime root: a directory per container, made before anything else of it."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import msgspec

from jubako.errors import AlreadyExists, DataLoss, InvalidArgument, NotFound
from jubako.linux import cgroup, proc
from jubako.linux.cgroup import CgroupHandle, CgroupManager
from jubako.spec import decoding, oci_runtime
from jubako.spec.oci_runtime import Spec

_REMOVE_TIMEOUT_S = 2.0
OCI_VERSION = "1.2.0"
_ID = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_+.-")
_ID_LENGTH_MAX = 1024


class Record(msgspec.Struct):
    """state.json: what outlives the command that created the container. `pid` is 0 while it is being created, and
    `place` is that of its group (linux.cgroup)."""

    id: str
    bundle: str
    created: str
    cgroup: str
    place: str = ""
    pid: int = 0
    pid_start: int = 0
    annotations: dict[str, str] = {}


def is_id(name: str) -> bool:
    """Whether a container may be called so."""
    return 0 < len(name) <= _ID_LENGTH_MAX and _ID.issuperset(name) and name not in (".", "..")


class Container:
    """One directory; `record` as it was read or written last."""

    def __init__(self, directory: str, record: Record) -> None:
        self.directory = directory
        self.record = record

    @property
    def start_socket(self) -> str:
        return os.path.join(self.directory, "start.sock")

    @property
    def config_path(self) -> str:
        """Not there while the container is being made."""
        return os.path.join(self.directory, "config.json")

    def save(self) -> None:
        _write(os.path.join(self.directory, "state.json"), msgspec.json.encode(self.record))

    def spec(self) -> Spec:
        with open(self.config_path, "rb") as file:
            return oci_runtime.decode(file.read())

    def manager(self) -> CgroupManager:
        """Who makes its group."""
        return cgroup.at(self.record.place)

    def group(self) -> CgroupHandle:
        """Its group, where the record names one."""
        return self.manager().open(self.record.cgroup)

    def alive(self) -> bool:
        return bool(self.record.pid) and proc.start_ticks(self.record.pid) == self.record.pid_start

    def status(self) -> str:
        """creating, created, running, paused or stopped."""
        if not self.record.pid:
            return "creating"
        if not self.alive():
            return "stopped"
        if self.record.cgroup and self.group().is_frozen():
            return "paused"
        return "created" if os.path.exists(self.start_socket) else "running"

    def document(self, *, status: str = "", pid: int = 0) -> dict[str, object]:
        """The state of the specification, with the time of creation; `status` and `pid` where they are not what can be
        seen from here."""
        status = status or self.status()
        return {
            "ociVersion": OCI_VERSION,
            "id": self.record.id,
            "pid": 0 if status == "stopped" else pid or self.record.pid,
            "status": status,
            "bundle": self.record.bundle,
            "annotations": self.record.annotations,
            "created": self.record.created,
        }

    def state(self, *, status: str = "", pid: int = 0) -> bytes:
        """What `state` prints and hooks read."""
        return msgspec.json.format(msgspec.json.encode(self.document(status=status, pid=pid)), indent=2)

    @contextmanager
    def exec_directory(self) -> Iterator[str]:
        """The run directory of one more process, as long as its command stays."""
        directory = os.path.join(self.directory, f"exec-{os.getpid()}-{time.monotonic_ns()}")
        os.mkdir(directory, 0o700)
        try:
            yield directory
        finally:
            _remove_tree(directory)

    def remove(self) -> None:
        """Remove the directory, into which a monitor that comes to its end may write meanwhile."""
        deadline = time.monotonic() + _REMOVE_TIMEOUT_S
        while os.path.exists(self.directory):
            try:
                _remove_tree(self.directory)
            except OSError:
                if time.monotonic() > deadline:
                    raise


class Containers:
    def __init__(self, root: str) -> None:
        self.root = root

    def make(self, record: Record, config: bytes) -> Container:
        """Claim the id. Raises AlreadyExists, and then nothing of the present one is touched."""
        directory = self._directory(record.id)
        os.makedirs(self.root, mode=0o711, exist_ok=True)
        try:
            os.mkdir(directory, 0o700)
        except FileExistsError:
            raise AlreadyExists("container", record.id, message="container with given ID already exists") from None
        container = Container(directory, record)
        _write(os.path.join(directory, "config.json"), config)
        container.save()
        return container

    def load(self, name: str) -> Container:
        """Raises NotFound, or DataLoss for a record that is none."""
        directory = self._directory(name)
        path = os.path.join(directory, "state.json")
        try:
            with open(path, "rb") as file:
                return Container(directory, decoding.decode(file.read(), Record))
        except FileNotFoundError:
            if not os.path.isdir(directory):
                raise NotFound("container", name, message=f"container does not exist: {name}") from None
        except msgspec.MsgspecError as error:
            raise DataLoss(f"{path}: {error}") from None
        # Killed between its first two steps: there is nothing of it but the directory.
        return Container(directory, Record(name, "", "", ""))

    def names(self) -> list[str]:
        """Of all directories that a container could have."""
        try:
            with os.scandir(self.root) as entries:
                return sorted(e.name for e in entries if is_id(e.name) and e.is_dir(follow_symlinks=False))
        except FileNotFoundError:
            return []

    def _directory(self, name: str) -> str:
        if not is_id(name):
            raise InvalidArgument(f"invalid container id: {name!r}")
        return os.path.join(self.root, name)


def _write(path: str, data: bytes) -> None:
    temporary = f"{path}.new"
    with open(temporary, "wb") as file:
        file.write(data)
    os.rename(temporary, path)


def _remove_tree(top: str) -> None:
    """Remove a directory of ours, with whoever else removes it; shutil would be a tenth of a cold command."""
    for directory, _, names in os.walk(top, topdown=False):
        for name in names:
            with suppress(FileNotFoundError):
                os.unlink(os.path.join(directory, name))
        with suppress(FileNotFoundError):
            os.rmdir(directory)
