"""Collection: records and machine brought together, and what nothing needs any more deleted."""

from __future__ import annotations

from jubako.engine import imagemounts, lifecycle
from jubako.engine.drivers import Drivers
from jubako.engine.record import RUNNING
from jubako.spec.oci_image import DiffID, Digest
from jubako.store import Pins


def collect(drivers: Drivers) -> int:
    """Delete what no record needs: blobs, layers, snapshots, directories of what is gone. Returns the bytes freed."""
    from jubako.store.collect import sweep

    reconcile(drivers)
    freed = sweep(drivers.store, lambda: _wanted(drivers))
    return freed.bytes + _collect_snapshots(drivers)


def reconcile(drivers: Drivers) -> None:
    """Bring records and machine together: finish the dead, drop directories, links and groups that belong to nobody."""
    for _, record in drivers.containers.items():
        lifecycle.refresh(drivers, record)
    for key in drivers.present() - set(drivers.containers.keys()):
        drivers.discard(key, drivers.containers.find)
    living = {key for key, record in drivers.containers.items() if record.phase == RUNNING}
    drivers.networks.reconcile(living | ready_pods(drivers))


def ready_pods(drivers: Drivers) -> set[str]:
    """IDs of the pods that are there, once those that are not have been finished, and their remains collected."""
    if not drivers.pods.keys() and not drivers.pod_places.present():
        return set()
    from jubako.engine.pods import ending

    return ending.reconcile(drivers)


def _wanted(drivers: Drivers) -> set[Digest]:
    """Blobs (and layers, named by diff_id) that an image, a container or a pin needs."""
    wanted = set(drivers.images.reachable())
    for image in drivers.images.list():
        wanted.update(Digest(diff_id) for diff_id in image.diff_ids)
    for _, record in drivers.containers.items():
        wanted.update(Digest(diff_id) for diff_id in record.needed_layers)
    wanted.update(Digest(diff_id) for diff_id in imagemounts.layers(drivers))
    wanted.update(Digest(digest) for digest in Pins(drivers.store.records).digests())
    return wanted


def _collect_snapshots(drivers: Drivers) -> int:
    """Layers that nothing needs, and snapshots without a container."""
    snapshots = drivers.snapshots
    freed = snapshots.sweep(lambda: [DiffID(name) for name in _wanted(drivers)]).bytes
    # Looked for before the records: a snapshot is recorded, or leased, before it is made.
    present = snapshots.keys()
    needed = {*drivers.store.leases.held(), *drivers.containers.keys()}
    for key in present:
        if key not in needed:
            freed += snapshots.usage(key)
            snapshots.remove(key)
    return freed
