"""How `pod ps` and `pod inspect` show pods: podman's words and documents."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from jubako.engine import lifecycle
from jubako.engine.attachment import is_bridged
from jubako.engine.drivers import Drivers
from jubako.engine.inspect import ports
from jubako.engine.pods import ending, members
from jubako.engine.pods.record import CREATED, NET, READY, STOPPED, PodRecord
from jubako.engine.record import RUNNING, ContainerRecord
from jubako.errors import InvalidArgument
from jubako.linux.cgroup import PARENT
from jubako.spec import clock
from jubako.spec.filters import matches_label


class Whole(NamedTuple):
    """A pod with its address ("" where it has none) and its containers, oldest first, at one moment."""

    pod: PodRecord
    address: str
    containers: list[ContainerRecord]


KEYS = ("id", "label", "name", "network", "status")


def pods(drivers: Drivers, filters: Mapping[str, Sequence[str]] | None = None) -> list[PodRecord]:
    """Newest first; raises InvalidArgument for a filter that there is not."""
    wanted = dict(filters or {})
    for key in wanted:
        if key not in KEYS:
            raise InvalidArgument(f"{key} is an invalid filter")
    present = (ending.refresh(drivers, record) for _, record in drivers.pods.items())
    found = sorted((record for record in present if record), key=lambda record: record.created_ns, reverse=True)
    return [record for record in found if all(_matches(drivers, record, key, wanted[key]) for key in wanted)]


def _matches(drivers: Drivers, record: PodRecord, key: str, values: Sequence[str]) -> bool:
    match key:
        case "label":
            return all(matches_label(record.options.labels, value) for value in values)
        case "id":
            return any(record.id.startswith(value) for value in values)
        case "name":
            return any(value in record.name for value in values)
        case "status":
            return status(record, living(drivers, record)).lower() in [value.lower() for value in values]
    return record.options.network in values


def whole(drivers: Drivers, record: PodRecord) -> Whole:
    """All that there is of a pod whose record was just looked up."""
    return Whole(record, address(drivers, record), living(drivers, record))


def address(drivers: Drivers, record: PodRecord) -> str:
    endpoint = drivers.networks.endpoint(record.id)
    return endpoint.ip if endpoint else ""


def living(drivers: Drivers, record: PodRecord) -> list[ContainerRecord]:
    """The pod's containers as they are now."""
    present = (lifecycle.refresh(drivers, member) for member in members.of(drivers, record.id))
    return [member for member in present if member]


def status(record: PodRecord, containers: Sequence[ContainerRecord]) -> str:
    """Podman's word: of the pod itself, or what its containers say together."""
    running = sum(member.phase == RUNNING for member in containers)
    ended = sum(member.finished_ns > 0 and member.phase != RUNNING for member in containers)
    if running and all(member.paused for member in containers if member.phase == RUNNING):
        return "Paused"
    if running:
        return "Degraded" if ended else "Running"
    if record.phase == READY:
        return "Exited" if ended else "Running"
    return {CREATED: "Created", STOPPED: "Exited"}.get(record.phase, "Dead")


def inspect(drivers: Drivers, record: PodRecord) -> dict[str, Any]:
    """The document of `podman pod inspect`; InfraContainerID is empty, for there is none."""
    containers = living(drivers, record)
    options = record.options
    return {
        "Id": record.id,
        "Name": record.name,
        "Created": clock.stamp(record.created_ns),
        "State": status(record, containers),
        "Hostname": record.hostname,
        "Labels": options.labels,
        "Annotations": options.annotations,
        "CreateCgroup": True,
        "CgroupParent": f"/{PARENT}",
        "CgroupPath": f"/{PARENT}/{record.cgroup}",
        "CreateInfra": False,
        "InfraContainerID": "",
        "SharedNamespaces": options.share,
        "HostNetwork": options.network == "host",
        "Network": _network(drivers, record),
        "DNSServer": options.dns,
        "DNSSearch": options.dns_search,
        "DNSOption": options.dns_options,
        "HostAdd": options.extra_hosts,
        "Sysctls": options.sysctls,
        "MemoryLimit": options.memory,
        "NanoCpus": options.nano_cpus,
        "CPUShares": options.cpu_shares,
        "StartedAt": clock.stamp(record.started_ns) if record.started_ns else clock.ZERO,
        "Error": record.error,
        "NumContainers": len(containers),
        "Containers": [
            {"Id": member.id, "Name": member.name, "State": member.status, "Attempt": member.options.attempt}
            for member in containers
        ],
    }


def _network(drivers: Drivers, record: PodRecord) -> dict[str, Any]:
    joined = record.phase == READY and NET in record.kept and is_bridged(record)
    endpoint = drivers.networks.endpoint(record.id) if joined else None
    return {
        "Name": record.options.network,
        "IPAddress": endpoint.ip if endpoint else "",
        "IPPrefixLen": endpoint.prefix_len if endpoint else 0,
        "Gateway": endpoint.gateway if endpoint else "",
        "MacAddress": endpoint.mac if endpoint else "",
        "Ports": ports(record, endpoint),
        "Namespace": members.namespace(drivers, record.id, NET) if joined else "",
    }
