"""Where a cluster keeps its state, and who runs it.

Layout:       ROOT/clusters/NAME/         store/, pki/, pods/, volumes/, kubeconfig, port, network, log,
                                          audit.log[.N]: what the cluster is
              RUN_ROOT/clusters/NAME/     lock: held by the control plane while it lives; its text is pid and address
                                          dns: the socket of the name server
Invariant:    a control plane is there as long as the lock is held: a killed one is never taken for alive, not even
              while its last threads end and have the lock still.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from jubako.errors import AlreadyExists, InvalidArgument
from jubako.linux import locks, proc
from jubako.network.naming import Names
from jubako.spec import decoding

_ENDING_S = 5.0
_AGAIN_S = 0.004
_NAME = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")


class Running(msgspec.Struct, frozen=True):
    """A control plane that lives: its process, and where it answers."""

    pid: int
    address: str


class Place(msgspec.Struct, frozen=True):
    """The directories of one cluster. Raises InvalidArgument for a name that is no DNS label."""

    name: str
    root: Path
    run_root: Path

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise InvalidArgument(f'invalid cluster name "{self.name}": lower case letters, digits and "-", at most 63')

    @property
    def state(self) -> Path:
        return self.root / "clusters" / self.name

    @property
    def kubeconfig(self) -> Path:
        return self.state / "kubeconfig"

    @property
    def table(self) -> str:
        """Of its firewall rules; roots have names of their own, and no name of a cluster ends another's."""
        return f"{Names(self.root).table}-cluster-{self.name}"

    @property
    def log(self) -> Path:
        return self.state / "log"

    @property
    def audit_log(self) -> Path:
        return self.state / "audit.log"

    @property
    def doomed(self) -> Path:
        """What a reset is about to throw away; one that was killed leaves it for the next `up` or `reset`."""
        return self.state.with_name(f".{self.name}")

    @property
    def memory(self) -> Path:
        """Volumes of pods that are in memory."""
        return self.run_directory / "pods"

    @property
    def run_directory(self) -> Path:
        return self.run_root / "clusters" / self.name

    @property
    def volumes(self) -> Path:
        """Volumes that are made for claims."""
        return self.state / "volumes"

    @property
    def _lock(self) -> Path:
        return self.run_directory / "lock"

    def running(self) -> Running | None:
        """Return the control plane that lives, None where there is none, or one that has not come up yet."""
        try:
            with open(self._lock, "rb") as file:
                if not locks.is_held(file.fileno()):
                    return None
                found = decoding.decode(file.read(), Running)
        except (FileNotFoundError, msgspec.MsgspecError):
            return None
        return found if proc.start_ticks(found.pid) is not None else None

    @contextmanager
    def held(self) -> Iterator[int]:
        """Hold the cluster while this lasts, and lend the file to tell who does. Raises AlreadyExists."""
        for directory in (self.state, self._lock.parent):
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        fd = os.open(self._lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            if not self._take(fd):
                raise AlreadyExists("cluster", self.name, message=f"cluster {self.name} is running already")
            os.ftruncate(fd, 0)
            yield fd
        finally:
            os.close(fd)

    def _take(self, fd: int) -> bool:
        """Lock it for good. Whoever asks whether it is free has it for a moment, and one that was killed until its last
        thread has ended: both are waited for."""
        deadline = time.monotonic() + _ENDING_S
        while not locks.take(fd):
            if self.running() or time.monotonic() > deadline:
                return False
            time.sleep(_AGAIN_S)
        return True


def tell(fd: int, running: Running) -> None:
    """Write who holds the cluster, in one write."""
    os.pwrite(fd, msgspec.json.encode(running), 0)


def names(root: Path) -> list[str]:
    """Return the clusters that there are beneath a root."""
    directory = root / "clusters"
    return sorted(path.name for path in directory.iterdir() if path.name[0] != ".") if directory.is_dir() else []
