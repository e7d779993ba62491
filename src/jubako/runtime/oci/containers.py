"""The state directory of one runtime root: a directory per container, made before anything else of it."""

from __future__ import annotations

import os
import re
import time

import msgspec

from jubako.errors import AlreadyExists, InvalidArgument, NotFound
from jubako.linux import cgroup, proc
from jubako.spec import oci_runtime
from jubako.spec.oci_runtime import Spec

_REMOVE_TIMEOUT_S = 2.0
_ID = re.compile(r"[A-Za-z0-9_+.-]{1,1024}")


class Record(msgspec.Struct):
    """state.json: what outlives the command that created the container. `pid` is 0 while it is being created."""

    id: str
    bundle: str
    created: str
    cgroup: str
    pid: int = 0
    pid_start: int = 0
    annotations: dict[str, str] = {}


class Container:
    """One directory; `record` as it was read or written last."""

    def __init__(self, directory: str, record: Record) -> None:
        self.directory = directory
        self.record = record

    @property
    def start_socket(self) -> str:
        return os.path.join(self.directory, "start.sock")

    def save(self) -> None:
        _write(os.path.join(self.directory, "state.json"), msgspec.json.encode(self.record))

    def spec(self) -> Spec:
        with open(os.path.join(self.directory, "config.json"), "rb") as file:
            return oci_runtime.decode(file.read())

    def alive(self) -> bool:
        return bool(self.record.pid) and proc.start_ticks(self.record.pid) == self.record.pid_start

    def status(self) -> str:
        """creating, created, running, paused or stopped."""
        if not self.record.pid:
            return "creating"
        if not self.alive():
            return "stopped"
        if self.record.cgroup and cgroup.manager().open(self.record.cgroup).is_frozen():
            return "paused"
        return "created" if os.path.exists(self.start_socket) else "running"

    def state(self) -> bytes:
        """What `state` prints and hooks read."""
        status = self.status()
        document = {
            "ociVersion": "1.2.0",
            "id": self.record.id,
            "status": status,
            "pid": self.record.pid if status in ("created", "running", "paused") else 0,
            "bundle": self.record.bundle,
            "annotations": self.record.annotations,
            "created": self.record.created,
        }
        return msgspec.json.format(msgspec.json.encode(document), indent=2)

    def remove(self) -> None:
        """Remove the directory, into which a monitor that comes to its end may write meanwhile."""
        import shutil

        deadline = time.monotonic() + _REMOVE_TIMEOUT_S
        while os.path.exists(self.directory):
            shutil.rmtree(self.directory, ignore_errors=time.monotonic() < deadline)


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
        directory = self._directory(name)
        try:
            with open(os.path.join(directory, "state.json"), "rb") as file:
                return Container(directory, msgspec.json.decode(file.read(), type=Record))
        except FileNotFoundError:
            if not os.path.isdir(directory):
                raise NotFound("container", name, message=f"container does not exist: {name}") from None
        # Killed between its first two steps: there is nothing of it but the directory.
        return Container(directory, Record(name, "", "", ""))

    def all(self) -> list[Container]:
        try:
            names = sorted(os.listdir(self.root))
        except FileNotFoundError:
            return []
        return [self.load(name) for name in names if _ID.fullmatch(name)]

    def _directory(self, name: str) -> str:
        if not _ID.fullmatch(name) or name in (".", ".."):
            raise InvalidArgument(f"invalid container id: {name!r}")
        return os.path.join(self.root, name)


def _write(path: str, data: bytes) -> None:
    temporary = f"{path}.new"
    with open(temporary, "wb") as file:
        file.write(data)
    os.rename(temporary, path)
