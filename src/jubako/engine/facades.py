"""`engine.networks`, `engine.volumes` and `engine.system`, in Docker's shapes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from jubako.engine import collection, doctor, ordinary, removal, system
from jubako.engine.drivers import Drivers
from jubako.engine.events import emit
from jubako.engine.record import RUNNING
from jubako.errors import NotFound
from jubako.spec import clock

if TYPE_CHECKING:
    from jubako.engine.check import Report
    from jubako.network import Network
    from jubako.snapshot.compact import Compacted
    from jubako.volume import Volume


# Inside the classes, `list` is a method.
_Names = list[str]
_Findings = list[doctor.Finding]


class EngineNetworks:
    """Networks by name or ID."""

    def __init__(self, drivers: Drivers) -> None:
        self._drivers = drivers

    def create(
        self,
        name: str,
        *,
        driver: str = "bridge",
        subnet: str | None = None,
        gateway: str | None = None,
        internal: bool = False,
        labels: Mapping[str, str] | None = None,
    ) -> Network:
        """Define a network; raises AlreadyExists for a taken name, Conflict for an overlapping subnet."""
        ordinary.refuse("a network of containers")
        network = self._drivers.networks.create(
            name, driver=driver, subnet=subnet, gateway=gateway, internal=internal, labels=dict(labels or {})
        )
        with self._drivers.store.records.transaction():
            emit(self._drivers, "network", "create", network.id, {"name": name, "type": driver})
        return network

    def list(self) -> list[Network]:
        """All networks by name, the predefined ones among them."""
        return self._drivers.networks.list()

    def get(self, text: str) -> Network:
        """A network by name, ID, or unambiguous beginning of an ID; raises NotFound."""
        return self._drivers.networks.get(text)

    def inspect(self, text: str) -> dict[str, Any]:
        """The document of `GET /networks/{id}`."""
        network = self._drivers.networks.get(text)
        living = {key for key, record in self._drivers.containers.items() if record.phase == RUNNING}
        living |= collection.ready_pods(self._drivers)
        members = {
            endpoint.container_id: {
                "Name": endpoint.container_name,
                "MacAddress": endpoint.mac,
                "IPv4Address": f"{endpoint.ip}/{endpoint.prefix_len}",
                "IPv6Address": "",
            }
            for endpoint in self._drivers.networks.endpoints(network)
            if endpoint.container_id in living
        }
        addresses = [{"Subnet": network.subnet, "Gateway": network.gateway}] if network.subnet else []
        return {
            "Name": network.name,
            "Id": network.id,
            "Created": clock.stamp(network.created_ns),
            "Scope": "local",
            "Driver": network.driver,
            "EnableIPv6": False,
            "Internal": network.internal,
            "Attachable": False,
            "IPAM": {"Driver": "default", "Config": addresses},
            "Containers": members,
            "Options": {},
            "Labels": network.labels,
        }

    def lead(self, subnet: str) -> str:
        """Have further addresses lie behind the default bridge; returns where its containers find this host."""
        return self._drivers.networks.lead(subnet)

    def lead_no_more(self, subnet: str) -> None:
        """Undo lead()."""
        self._drivers.networks.lead_no_more(subnet)

    def remove(self, text: str) -> None:
        """Remove a network that no container is connected to."""
        network = self._drivers.networks.get(text)
        self._drivers.networks.remove(network.name)
        with self._drivers.store.records.transaction():
            emit(self._drivers, "network", "destroy", network.id, {"name": network.name, "type": network.driver})

    def in_use(self) -> set[str]:
        """Names that containers and pods, running or not, want to be connected to."""
        return system.networks_in_use(self._drivers)

    def prune(self, accept: Callable[[Network], bool] = lambda network: True) -> _Names:
        """Remove the user-defined networks that no container uses and that `accept` takes; returns their names."""
        kept = {network.id for network in self.list() if not accept(network)}
        return [network.name for network in self._drivers.networks.prune(self.in_use() | kept)]


class EngineVolumes:
    """Named and anonymous volumes."""

    def __init__(self, drivers: Drivers) -> None:
        self._drivers = drivers

    def create(self, name: str | None = None, labels: Mapping[str, str] | None = None) -> Volume:
        """Return the volume of that name, made now unless it exists."""
        volume = self._drivers.volumes.create(name, labels)
        with self._drivers.store.records.transaction():
            emit(self._drivers, "volume", "create", volume.name, {"driver": "local"})
        return volume

    def list(self) -> list[Volume]:
        """All volumes by name."""
        return self._drivers.volumes.list()

    def get(self, name: str) -> Volume:
        """The volume of that name; raises NotFound."""
        return self._drivers.volumes.get(name)

    def inspect(self, name: str) -> dict[str, Any]:
        """The document of `GET /volumes/{name}`."""
        volume = self._drivers.volumes.get(name)
        return {
            "CreatedAt": volume.created,
            "Driver": "local",
            "Labels": volume.labels or None,
            "Mountpoint": str(volume.path),
            "Name": volume.name,
            "Options": None,
            "Scope": "local",
        }

    def users(self, name: str) -> _Names:
        """IDs of the containers that mount it."""
        return removal.volume_users(self._drivers, name)

    def remove(self, name: str, *, force: bool = False) -> None:
        """Delete a volume and its content; raises Conflict while a container has it, NotFound unless `force`."""
        try:
            self._drivers.volumes.remove(name, users=self.users)
        except NotFound:
            if not force:
                raise
            return
        with self._drivers.store.records.transaction():
            emit(self._drivers, "volume", "destroy", name, {"driver": "local"})

    def prune(self, *, all: bool = False, accept: Callable[[Volume], bool] = lambda volume: True) -> tuple[_Names, int]:
        """Delete unused anonymous volumes (with `all`, every unused one) that `accept` takes; names and bytes."""
        names, freed = self._drivers.volumes.prune(users=self.users, named=all, accept=accept)
        return [*names], freed.bytes


class EngineSystem:
    """The machine's view."""

    def __init__(self, drivers: Drivers) -> None:
        self._drivers = drivers

    def info(self) -> dict[str, Any]:
        """The document of `GET /info`, as far as it applies."""
        return system.info(self._drivers)

    def disk_usage(self) -> dict[str, Any]:
        """The lists of `GET /system/df`, by kind; sizes in bytes."""
        return system.disk_usage(self._drivers)

    def prune(self, *, all: bool = False, volumes: bool = False) -> system.Pruned:
        """Remove stopped containers and pods, unused networks, and dangling images.

        With `all`, every unused image; with `volumes`, the anonymous volumes that no container uses.
        """
        return system.prune(self._drivers, all=all, volumes=volumes)

    def collect(self) -> int:
        """Delete blobs, layers and snapshots that nothing needs; returns the bytes freed."""
        return collection.collect(self._drivers)

    def check(self, *, repair: bool = False, quick: bool = False) -> Report:
        """Verify every blob, layer and image, and repair on request; see engine.check."""
        from jubako.engine.check import check

        return check(self._drivers, repair=repair, quick=quick)

    def compact(self, report: Callable[[Compacted], None] = lambda done: None, *, dry_run: bool = False) -> int:
        """Drop compressed blobs that their unpacked layers give again, bit for bit; returns the bytes freed."""
        from jubako.engine import compaction

        return compaction.compact(self._drivers, report, dry_run=dry_run)

    def compact_undo(self, report: Callable[[Compacted], None] = lambda done: None) -> int:
        """Make the dropped blobs again; returns the bytes that they take."""
        from jubako.engine import compaction

        return compaction.undo(self._drivers, report)

    def reconcile(self) -> None:
        """Finish what died unnoticed and remove what belongs to nobody."""
        collection.reconcile(self._drivers)

    def doctor(self) -> _Findings:
        """What this host lacks, and how to get it."""
        return doctor.examine(self._drivers.root)
