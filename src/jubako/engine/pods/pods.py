"""`engine.pods`: every verb on pods, as methods over the functions of this package."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from jubako.engine.drivers import Drivers
from jubako.engine.pods import create, ending, listing, starting
from jubako.engine.pods.listing import Whole
from jubako.engine.pods.record import PodOptions, PodRecord
from jubako.engine.record import ContainerRecord

if TYPE_CHECKING:
    from socket import socket

# Inside the class, `list` is a method.
_Containers = list[ContainerRecord]
_Pods = list[PodRecord]
_IDs = list[str]


class EnginePods:
    """Names, full IDs and unambiguous prefixes all work wherever a pod is asked for."""

    def __init__(self, drivers: Drivers) -> None:
        self._drivers = drivers

    def create(self, options: PodOptions) -> PodRecord:
        """Record a new pod; its first container makes it ready, or `start`."""
        return create.create(self._drivers, options)

    def start(self, text: str) -> PodRecord:
        """Make its namespaces, network and cgroup, unless they are there. Its containers are started one by one."""
        return starting.start(self._drivers, ending.get(self._drivers, text).id)

    def get(self, text: str) -> PodRecord:
        """The record, true at this moment."""
        return ending.get(self._drivers, text)

    def list(self, filters: Mapping[str, Sequence[str]] | None = None) -> _Pods:
        """Newest first."""
        return listing.pods(self._drivers, filters)

    def containers(self, text: str) -> _Containers:
        """The pod's containers as they are now, oldest first; those that have ended are among them."""
        return listing.living(self._drivers, self.get(text))

    def attempts(self, text: str, member: str) -> _Containers:
        """All containers that were `member` of the pod, the newest first: the second has the logs of `--previous`."""
        return [record for record in reversed(self.containers(text)) if record.options.member == member]

    def status(self, record: PodRecord) -> str:
        """Podman's word for the state of the pod and its containers."""
        return listing.status(record, listing.living(self._drivers, record))

    def address(self, text: str) -> str:
        """Its address on its bridge network; "" where it has none."""
        return listing.address(self._drivers, self.get(text))

    def whole(self, text: str) -> Whole:
        """The pod, its address and its containers in one."""
        return listing.whole(self._drivers, self.get(text))

    def reach(self, text: str, family: int) -> socket:
        """A TCP socket in its network, for connections to what listens there on loopback."""
        from jubako.engine.pods import reach

        return reach.socket_in(self._drivers, self.get(text), family)

    def inspect(self, text: str) -> dict[str, Any]:
        """The document of `pod inspect`."""
        return listing.inspect(self._drivers, self.get(text))

    def stop(self, text: str, timeout_s: float | None = None) -> None:
        """Stop its containers, all at once, and give back its network; it can be started again."""
        ending.stop(self._drivers, text, timeout_s)

    def remove(self, text: str, *, force: bool = False, timeout_s: float | None = None) -> None:
        """Remove it with its containers; running ones only with `force`."""
        ending.remove(self._drivers, self.get(text), force=force, timeout_s=timeout_s)

    def prune(self) -> _IDs:
        """Remove the pods that are not ready; returns their IDs."""
        return ending.prune(self._drivers)
