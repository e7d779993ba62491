"""`docker ps`: which containers there are, its filters, and a row's facts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from jubako.engine import lifecycle
from jubako.engine.drivers import Drivers, find, look_up
from jubako.engine.inspect import health_of, network_settings
from jubako.engine.record import RUNNING, ContainerRecord
from jubako.errors import InvalidArgument, JubakoError
from jubako.network import expose
from jubako.spec.filters import boolean, check_keys, matches_label, matches_name

Filters = Mapping[str, Sequence[str]]
KEYS = (
    "ancestor",
    "before",
    "exited",
    "expose",
    "health",
    "id",
    "is-task",
    "label",
    "name",
    "network",
    "pod",
    "publish",
    "since",
    "status",
    "volume",
)
_HEALTHS = ("none", "starting", "healthy", "unhealthy")
_STATES = ("created", "restarting", "running", "removing", "paused", "exited", "dead")


def containers(drivers: Drivers, *, all: bool = False, filters: Filters | None = None) -> list[ContainerRecord]:
    """Newest first; only running ones unless `all` or a status is asked for. Raises InvalidArgument for a filter."""
    wanted = dict(filters or {})
    check_keys(wanted, KEYS)
    _check(wanted)
    everything = all or bool({"status", "exited", "since", "before"} & set(wanted))
    present = (lifecycle.refresh(drivers, record) for _, record in drivers.containers.items())
    rows = [record for record in present if record and (everything or record.phase == RUNNING)]
    rows.sort(key=lambda record: record.created_ns, reverse=True)
    return [record for record in rows if _matches(drivers, record, wanted)]


def _check(wanted: Filters) -> None:
    for state in wanted.get("status", ()):
        if state not in _STATES:
            raise InvalidArgument(f"invalid filter 'status={state}'")
    for health in wanted.get("health", ()):
        if health not in _HEALTHS:
            raise InvalidArgument(f"unrecognized filter value for health: {health}")
    for code in wanted.get("exited", ()):
        if not code.removeprefix("-").isdecimal():
            raise InvalidArgument(f'strconv.Atoi: parsing "{code}": invalid syntax')
    for key in ("expose", "publish"):
        for text in wanted.get(key, ()):
            _ports_named(key, text)
    boolean(wanted, "is-task")


def _matches(drivers: Drivers, record: ContainerRecord, filters: Filters) -> bool:
    return all(_matches_one(drivers, record, key, values) for key, values in filters.items())


def _matches_one(drivers: Drivers, record: ContainerRecord, key: str, values: Sequence[str]) -> bool:
    match key:
        case "label":
            return all(matches_label(record.labels, value) for value in values)
        case "id":
            return any(record.id.startswith(value) for value in values)
        case "name":
            return matches_name(values, record.name) or matches_name(values, f"/{record.name}")
        case "is-task":
            return boolean({key: values}, key) is False
        case "status":
            return record.status in values
        case "health":
            return _health(drivers, record) in values
        case "exited":
            return record.phase == "exited" and str(record.exit_code) in values
        case "ancestor":
            return any(_is_ancestor(drivers, record, value) for value in values)
        case "network":
            return bool({record.options.network, _network_id(drivers, record)} & set(values))
        case "pod":
            return record.options.pod in {look_up(drivers.pods, value).id for value in values}
        case "volume":
            return any(
                value in (point.name, point.destination, point.source) for point in record.mounts for value in values
            )
        case "before":
            return all(record.created_ns < find(drivers, value).created_ns for value in values)
        case "since":
            return all(record.created_ns > find(drivers, value).created_ns for value in values)
        case "expose" | "publish":
            there = _ports_of(drivers, record, key)
            return any(there & _ports_named(key, value) for value in values)
    return False


def _network_id(drivers: Drivers, record: ContainerRecord) -> str:
    try:
        return str(drivers.networks.get(record.options.network).id)
    except JubakoError:
        return ""


def _ports_of(drivers: Drivers, record: ContainerRecord, key: str) -> set[str]:
    """The host's ports that are published, or all of the container's own, as `80/tcp`."""
    ports = _ports(network_settings(drivers, record).get("Ports", {}))
    number = "PublicPort" if key == "publish" else "PrivatePort"
    return {f"{port[number]}/{port['Type']}" for port in ports if number in port}


def _ports_named(key: str, text: str) -> set[str]:
    """What `80`, `80/udp` or `80-90/tcp` names."""
    try:
        return set(expose.named(text))
    except ValueError as error:
        raise InvalidArgument(f"error while looking up for {key} {text}: {error}") from None


def _health(drivers: Drivers, record: ContainerRecord) -> str:
    found = health_of(drivers, record)
    return str(found["Status"]) if found else "none"


def _is_ancestor(drivers: Drivers, record: ContainerRecord, value: str) -> bool:
    if value == record.image_name or record.image_id.removeprefix("sha256:").startswith(value.removeprefix("sha256:")):
        return True
    try:
        return drivers.images.resolve(value).id == record.image_id
    except JubakoError:
        return False


def row(drivers: Drivers, record: ContainerRecord) -> dict[str, Any]:
    """The document of one container in `GET /containers/json`."""
    settings = network_settings(drivers, record)
    return {
        "Id": record.id,
        "Names": [f"/{record.name}"],
        "Image": record.image_name,
        "ImageID": record.image_id,
        "Command": " ".join(f"'{arg}'" if " " in arg else arg for arg in record.args),
        "Created": record.created_ns // 1_000_000_000,
        "Ports": _ports(settings.get("Ports", {})) if record.phase == RUNNING else [],
        "Labels": record.labels,
        "State": record.status,
        "Health": _health(drivers, record),
        "ExitCode": record.exit_code,
        "StartedAt": record.started_at(),
        "FinishedAt": record.finished_at(),
        "HostConfig": {"NetworkMode": record.options.network},
        "NetworkSettings": {"Networks": settings.get("Networks", {})},
        "Mounts": [point.name or point.source for point in record.mounts if point.type != "tmpfs"],
    }


def _ports(published: Mapping[str, Any]) -> list[dict[str, Any]]:
    shown: list[dict[str, Any]] = []
    for text, places in published.items():
        port, _, protocol = text.partition("/")
        if not places:
            shown.append({"PrivatePort": int(port), "Type": protocol})
        for place in places or []:
            shown.append(
                {
                    "IP": place["HostIp"],
                    "PrivatePort": int(port),
                    "PublicPort": int(place["HostPort"]),
                    "Type": protocol,
                }
            )
    return shown
