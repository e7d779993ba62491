"""The whole machine's view: info, disk use, collection and prune, doctor."""

from __future__ import annotations

import os
import platform
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any

import msgspec

from jubako.engine import lifecycle, removal
from jubako.engine.drivers import Drivers
from jubako.engine.record import RUNNING, ContainerRecord
from jubako.errors import NotFound
from jubako.image.catalog import Image


class Pruned(msgspec.Struct, kw_only=True):
    """What `system prune` took."""

    containers: list[str] = []
    pods: list[str] = []
    networks: list[str] = []
    volumes: list[str] = []
    images: list[dict[str, str]] = []
    freed_bytes: int = 0


def prune_containers(drivers: Drivers, accept: Callable[[ContainerRecord], bool] = lambda record: True) -> list[str]:
    """Remove every container that does not run; returns their IDs. Those of a pod go with it: see pods.prune."""
    removed: list[str] = []
    for _, found in drivers.containers.items():
        record = lifecycle.refresh(drivers, found)
        if (
            record
            and record.phase != RUNNING
            and not record.options.pod
            and not drivers.is_locked(record.id)
            and accept(record)
        ):
            with suppress(NotFound), drivers.locked(record.id):
                current = drivers.containers.find(record.id)
                if current and current.phase != RUNNING:
                    removal.remove_ended(drivers, current, volumes=True)
                    removed.append(record.id)
    return removed


def prune(drivers: Drivers, *, all: bool = False, volumes: bool = False) -> Pruned:
    """Remove stopped containers, unused networks, dangling (or all unused) images and, on request, unused volumes."""
    from jubako.engine.images import EngineImages

    result = Pruned(containers=prune_containers(drivers))
    if drivers.pods.keys():
        from jubako.engine.pods import ending

        result.pods = ending.prune(drivers)
    result.networks = [network.name for network in drivers.networks.prune(networks_in_use(drivers))]
    if volumes:
        result.volumes = list(drivers.volumes.prune(users=lambda name: removal.volume_users(drivers, name))[0])
    result.images, result.freed_bytes = EngineImages(drivers).prune(all=all)
    if not any(record.phase == RUNNING for _, record in drivers.containers.items()):
        drivers.networks.teardown()
    return result


def networks_in_use(drivers: Drivers) -> set[str]:
    """Names that containers and pods, running or not, want to be connected to."""
    names = {record.options.network for _, record in drivers.containers.items()}
    return names | {record.options.network for _, record in drivers.pods.items()}


def disk_usage(drivers: Drivers) -> dict[str, Any]:
    """`docker system df`, a list for each kind; sizes in bytes.

    What images share is counted once in LayersSize, and in LayersReclaimable where no container needs it.
    """
    records = [record for _, record in drivers.containers.items()]
    used = {record.image_id for record in records}
    snapshots = set(drivers.snapshots.keys())
    images = drivers.images.list()
    layers_size = _blob_bytes(images)
    return {
        "LayersSize": layers_size,
        "LayersReclaimable": layers_size - _blob_bytes(image for image in images if image.id in used),
        "Images": [
            {
                "Id": image.id,
                "RepoTags": image.repo_tags,
                "Size": image.size_bytes,
                "Containers": sum(record.image_id == image.id for record in records),
                "InUse": image.id in used,
            }
            for image in images
        ],
        "Containers": [
            {
                "Id": record.id,
                "Names": [f"/{record.name}"],
                "State": record.status,
                "SizeRw": drivers.snapshots.usage(record.id) if record.id in snapshots else 0,
            }
            for record in records
        ],
        "Volumes": [
            {
                "Name": volume.name,
                "UsageData": {
                    "Size": drivers.volumes.usage(volume),
                    "RefCount": len(removal.volume_users(drivers, volume.name)),
                },
            }
            for volume in drivers.volumes.list()
        ],
    }


def _blob_bytes(images: Iterable[Image]) -> int:
    parts = [part for image in images for part in (image.manifest.config, *image.manifest.layers)]
    return sum({part.digest: part.size for part in parts}.values())


def info(drivers: Drivers) -> dict[str, Any]:
    """The document of `GET /info`, as far as it applies."""
    from jubako import __version__
    from jubako.linux import cgroup, userns

    states = [record.status for _, record in drivers.containers.items()]
    groups = cgroup.usable()
    return {
        "ID": str(drivers.root),
        "Containers": len(states),
        "ContainersRunning": states.count("running"),
        "ContainersPaused": states.count("paused"),
        "ContainersStopped": len(states) - states.count("running") - states.count("paused"),
        "Images": len(drivers.images.list()),
        "Driver": "overlay2",
        "LoggingDriver": "json-file",
        "CgroupDriver": groups.driver,
        "CgroupVersion": groups.version,
        "KernelVersion": platform.release(),
        "OperatingSystem": os_name(),
        "OSType": "linux",
        "Architecture": platform.machine(),
        "NCPU": os.cpu_count(),
        "MemTotal": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        "DockerRootDir": str(drivers.root),
        "RunRoot": str(drivers.run_root),
        "Name": platform.node(),
        "Rootless": userns.user() != 0,
        "SecurityOptions": ["name=seccomp,profile=builtin", "name=cgroupns"],
        "ServerVersion": __version__,
        "DefaultRuntime": "jubako",
    }


def os_name() -> str:
    """The distribution, for people."""
    try:
        return platform.freedesktop_os_release().get("PRETTY_NAME", "Linux")
    except OSError:
        return "Linux"
