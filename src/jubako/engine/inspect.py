"""A container as `docker inspect` and `docker ps` show it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from jubako.engine import hostconfig, security
from jubako.engine.attachment import Connected, is_bridged
from jubako.engine.drivers import Drivers
from jubako.engine.record import RUNNING, ContainerRecord
from jubako.network.record import PortBinding
from jubako.spec import clock


def container(drivers: Drivers, record: ContainerRecord) -> dict[str, Any]:
    """The document of `GET /containers/{id}/json`."""
    return {
        "Id": record.id,
        "Created": clock.stamp(record.created_ns),
        "Path": record.args[0],
        "Args": record.args[1:],
        "State": _state(drivers, record),
        "Image": record.image_id,
        "ResolvConfPath": str(drivers.run_dir(record.id) / "resolv.conf"),
        "HostnamePath": str(drivers.run_dir(record.id) / "hostname"),
        "HostsPath": str(drivers.run_dir(record.id) / "hosts"),
        "LogPath": str(drivers.log_path(record)),
        "Name": f"/{record.name}",
        "RestartCount": record.restart_count,
        "Driver": "overlay2",
        "Platform": "linux",
        "MountLabel": "",
        "ProcessLabel": "",
        "AppArmorProfile": security.parse(record.options.security_opt).apparmor,
        "ExecIDs": None,
        "HostConfig": hostconfig.of(record),
        "GraphDriver": {
            "Name": "overlay2",
            "Data": {
                "LowerDir": ":".join(str(drivers.snapshots.layer_path(diff)) for diff in reversed(record.layers)),
                "UpperDir": str(drivers.snapshots.upper(record.id)),
            },
        },
        "Mounts": [_mount(point) for point in record.mounts],
        "Config": _config(record),
        "NetworkSettings": network_settings(drivers, record),
    }


def health_of(drivers: Drivers, record: ContainerRecord) -> dict[str, Any] | None:
    """Docker's State.Health; None for a container without a health check, or that never ran."""
    if not record.healthcheck:
        return None
    from jubako.engine import health

    found = health.of(drivers, record)
    return health.document(found) if found else None


def _state(drivers: Drivers, record: ContainerRecord) -> dict[str, Any]:
    running, health = record.phase == RUNNING, health_of(drivers, record)
    return {
        "Status": record.status,
        "Running": running,
        "Paused": record.paused and running,
        "Restarting": False,
        "OOMKilled": record.oom_killed,
        "Dead": False,
        "Pid": record.pid,
        "ExitCode": record.exit_code,
        "Error": record.error,
        "StartedAt": record.started_at(),
        "FinishedAt": record.finished_at(),
        **({"Health": health} if health else {}),
    }


def _config(record: ContainerRecord) -> dict[str, Any]:
    options = record.options
    return {
        "Hostname": record.hostname,
        "Domainname": options.domainname,
        "User": record.user,
        "AttachStdin": options.attach_stdin,
        "AttachStdout": options.attach_stdout,
        "AttachStderr": options.attach_stderr,
        "ExposedPorts": {port: {} for port in record.exposed},
        "Tty": options.tty,
        "OpenStdin": options.open_stdin,
        "StdinOnce": options.open_stdin and options.attach_stdin,
        "Env": record.env,
        "Cmd": options.command,
        "Image": record.image_name,
        "Volumes": {point.destination: {} for point in record.mounts if point.type == "volume"} or None,
        "WorkingDir": record.workdir,
        "Entrypoint": options.entrypoint,
        "OnBuild": None,
        "Labels": record.labels,
        "StopSignal": record.stop_signal,
        **({"Healthcheck": msgspec.to_builtins(record.healthcheck)} if record.healthcheck else {}),
    }


def _mount(point: Any) -> dict[str, Any]:
    shown = {"Type": point.type}
    if point.type == "volume":
        shown |= {"Name": point.name}
    return {
        **shown,
        "Source": "" if point.type == "tmpfs" else point.source,
        "Destination": point.destination,
        **({"Driver": "local"} if point.type == "volume" else {}),
        "Mode": "ro" if point.read_only else "",
        "RW": not point.read_only,
        "Propagation": "" if point.type != "bind" else point.propagation,
    }


_NO_CHOICES = {"IPAMConfig": None, "Links": None, "Aliases": None, "DriverOpts": None, "DNSNames": None}
"""Of a place in a network: what nobody chose."""


def network_settings(drivers: Drivers, record: ContainerRecord) -> dict[str, Any]:
    """Addresses and published ports of this moment; empty for a container that does not run."""
    empty = {
        "IPAddress": "",
        "IPPrefixLen": 0,
        "Gateway": "",
        "MacAddress": "",
        "NetworkID": "",
        "EndpointID": "",
        "IPv6Gateway": "",
        "GlobalIPv6Address": "",
        "GlobalIPv6PrefixLen": 0,
    }
    network = record.options.network
    if ":" in network:
        return {**empty, "Ports": {}, "Networks": {}}
    endpoint = drivers.networks.endpoint(record.id) if is_bridged(record) and record.phase == RUNNING else None
    if endpoint is None:
        carried = _places(record.exposed, record.carried) if record.carried and record.phase == RUNNING else {}
        return {**empty, "Ports": carried, "Networks": {network: {**empty, **_NO_CHOICES}}}
    details = {
        "IPAddress": endpoint.ip,
        "IPPrefixLen": endpoint.prefix_len,
        "Gateway": endpoint.gateway,
        "MacAddress": endpoint.mac,
        "NetworkID": endpoint.network_id,
        "EndpointID": endpoint.id,
    }
    top = details if network == "bridge" else empty
    return {
        **top,
        "SandboxKey": f"/proc/{record.pid}/ns/net",
        "Ports": ports(record, endpoint),
        "Networks": {network: {**empty, **details, **_NO_CHOICES, "Aliases": record.options.network_aliases or None}},
    }


def ports(record: Connected, endpoint: Any) -> dict[str, Any]:
    """`{"80/tcp": [{"HostIp": …, "HostPort": …}], "81/tcp": None}`: published and merely exposed ones."""
    return _places(record.exposed, endpoint.ports if endpoint else [])


def _places(exposed: list[str], bindings: Sequence[PortBinding]) -> dict[str, Any]:
    shown: dict[str, Any] = dict.fromkeys(exposed)
    for binding in bindings:
        key = f"{binding.container_port}/{binding.protocol}"
        place = shown.get(key) or []
        shown[key] = [*place, {"HostIp": binding.host_ip or "0.0.0.0", "HostPort": str(binding.host_port)}]
    return shown
