"""From options to the record of a new container.

Creating writes one record and a lock file; nothing is mounted and no snapshot is made before the first start, so an
interrupted create leaves at most a record that `rm` takes.
"""

from __future__ import annotations

import time

import msgspec

from jubako.engine import devices, mounts, names, security, sharing, volumes
from jubako.engine.drivers import Drivers, find
from jubako.engine.events import emit_container
from jubako.engine.options import CreateOptions, validate
from jubako.engine.ordinary import PASTA, is_bridge
from jubako.engine.process import parse_signal
from jubako.engine.record import ContainerID, ContainerRecord
from jubako.errors import AlreadyExists, InvalidArgument
from jubako.image.catalog import Image
from jubako.linux import userns
from jubako.network import expose, publish
from jubako.runtime.rlimits import rlimit
from jubako.spec.oci_image import ContainerConfig, Healthcheck

_PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def create(drivers: Drivers, options: CreateOptions, image: Image) -> ContainerRecord:
    """Record a new container made from `image`.

    Raises InvalidArgument for options that no container can have, AlreadyExists for a taken name, NotFound for a
    container that --network container:X names.
    """
    if options.pod:
        from jubako.engine.pods import members

        options = members.join(drivers, options)
    record = _compose(drivers, options, image)
    if drivers.admit:
        drivers.admit(image, record)
    with drivers.making(record.id):
        _insert(drivers, record, named=options.name is not None)
    return record


def _insert(drivers: Drivers, record: ContainerRecord, *, named: bool) -> None:
    for attempt in range(20):
        try:
            with drivers.store.records.transaction():
                for image_id in record.image_ids:
                    drivers.images.resolve(image_id)
                if record.options.pod:
                    from jubako.engine.pods import members

                    members.check_pod(drivers, record.options.pod)
                drivers.records_of(record).insert(record.id, record, unique=record.uniques)
                emit_container(drivers, record, "create")
            return
        except AlreadyExists as error:
            if named:
                raise AlreadyExists(
                    "container",
                    record.name,
                    holder=error.holder,
                    message=f'Conflict. The container name "/{record.name}" is already in use by container '
                    f'"{error.holder}". You have to remove (or rename) that container to be able to reuse that name.',
                ) from None
            record.name = names.suggest(attempt)
    raise AlreadyExists("container", record.name)


def _compose(drivers: Drivers, options: CreateOptions, image: Image) -> ContainerRecord:
    validate(options)
    config = image.config.config or ContainerConfig()
    security.seccomp_profile(security.parse(options.security_opt))
    security.capabilities(options)
    sharing.validate(options)
    for text in options.devices:
        devices.parse(text)
    if options.stop_signal:
        parse_signal(options.stop_signal)
    for text in options.ulimits:
        rlimit(text)
    for text in options.publish:
        publish.parse(text)
    if options.termination_message_path and not options.termination_message_path.startswith("/"):
        raise InvalidArgument(f"termination message path {options.termination_message_path} is not absolute")
    return ContainerRecord(
        id=ContainerID(names.new_id()),
        name=names.check(options.name) if options.name else names.suggest(),
        created_ns=time.time_ns(),
        image_id=image.id,
        image_name=options.image,
        layers=image.diff_ids,
        options=_resolved(drivers, options),
        args=_arguments(options, config),
        env=_environment(options, config),
        workdir=_workdir(options.workdir or config.working_dir or "/"),
        user=options.user or config.user,
        labels={**(config.labels or {}), **options.labels},
        stop_signal=options.stop_signal or config.stop_signal or "SIGTERM",
        exposed=_exposed(options, config),
        mounts=_mount_points(drivers, options, config),
        healthcheck=_healthcheck(options, config),
        shell=config.shell or [],
    )


def _healthcheck(options: CreateOptions, config: ContainerConfig) -> Healthcheck | None:
    if not (options.healthcheck or config.healthcheck or options.probes):
        return None
    from jubako.engine import health

    health.validate(options)
    return health.resolve(options, config)


def _resolved(drivers: Drivers, options: CreateOptions) -> CreateOptions:
    """Names of other containers are resolved to IDs once, so that a rename does not change whom we share with."""
    if is_bridge(options.network) or (options.network == PASTA and userns.owns_network()):
        drivers.networks.get(options.network)
    changed = {
        kind: f"container:{find(drivers, mode.partition(':')[2]).id}"
        for kind, mode in sharing.modes(options)
        if mode.startswith("container:")
    }
    return msgspec.structs.replace(options, **changed) if changed else options


def _arguments(options: CreateOptions, config: ContainerConfig) -> list[str]:
    """Docker's rule: an entrypoint of the caller's own clears the image's command."""
    if options.entrypoint is not None:
        args = [*options.entrypoint, *(options.command or [])]
    else:
        command = options.command if options.command else config.cmd
        args = [*(config.entrypoint or []), *(command or [])]
    if not args or not args[0]:
        raise InvalidArgument("no command specified")
    return args


def _environment(options: CreateOptions, config: ContainerConfig) -> list[str]:
    """The image's variables under the caller's, in order, each name once; PATH is always there."""
    merged: dict[str, str] = {}
    for text in [_PATH, *(config.env or []), *options.env]:
        name, equals, _ = text.partition("=")
        if not name:
            raise InvalidArgument(f"invalid environment variable: {text}")
        if equals:
            merged[name] = text
        else:
            merged.pop(name, None)
    return list(merged.values())


def _workdir(path: str) -> str:
    if not path.startswith("/"):
        raise InvalidArgument(f"the working directory '{path}' is invalid, it needs to be an absolute path")
    return path


def _exposed(options: CreateOptions, config: ContainerConfig) -> list[str]:
    published = [
        f"{binding.container_port}/{binding.protocol}" for t in options.publish for binding in publish.parse(t)
    ]
    asked = [port for text in options.expose for port in expose.parse(text)]
    return list(dict.fromkeys([*expose.of_image(list(config.exposed_ports or {})), *asked, *published]))


def _mount_points(drivers: Drivers, options: CreateOptions, config: ContainerConfig) -> list[mounts.MountPoint]:
    points = [mounts.parse_volume(text) for text in options.volumes]
    points += [mounts.parse_mount(text) for text in options.mounts]
    points += [mounts.parse_tmpfs(text) for text in options.tmpfs]
    for point in points:
        volumes.check_bind(point)
        if point.type == "image":
            image = drivers.images.resolve(point.source)
            point.image_id, point.layers = image.id, image.diff_ids
    return mounts.merge(points, list(config.volumes or {}))
