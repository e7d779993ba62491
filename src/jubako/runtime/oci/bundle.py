"""A bundle's config.json as the runtime uses it: checked, with absolute paths and a complete environment."""

from __future__ import annotations

import os
import re

import msgspec

from jubako.errors import InvalidArgument, NotFound
from jubako.runtime import defaults
from jubako.runtime.oci import environment
from jubako.runtime.oci.log import Log
from jubako.spec import oci_runtime
from jubako.spec.oci_runtime import Capabilities, Linux, Process, Resources, Spec

_PROPAGATIONS = ("private", "slave", "shared", "unbindable")


def load(bundle: str, log: Log) -> tuple[Spec, bytes]:
    """The specification, and its document for the state directory, in which the process is as it was given: an exec as
    another user has another HOME. Raises InvalidArgument naming file and place."""
    path = os.path.join(bundle, "config.json")
    try:
        with open(path, "rb") as file:
            data = file.read()
    except FileNotFoundError:
        raise NotFound("file", path, message=f"JSON specification file {path} not found") from None
    try:
        spec = oci_runtime.decode(data)
    except msgspec.MsgspecError as error:
        raise InvalidArgument(f"{path}: {_placed(str(error), data)}") from None
    try:
        _complete(spec, bundle, log)
        document = oci_runtime.encode(spec)
        if spec.process:
            complete_process(spec.process, environment.passwd_of(spec, spec.root.path if spec.root else ""), log)
    except InvalidArgument as error:
        raise InvalidArgument(f"{path}: {error.message}") from None
    return spec, document


def _placed(message: str, data: bytes) -> str:
    """Line and column, which editors show, instead of the number of a byte."""
    found = re.search(r" \(byte (\d+)\)", message)
    if not found:
        return message
    before = data[: int(found[1])]
    line, column = before.count(b"\n") + 1, len(before) - before.rfind(b"\n")
    return message.replace(found[0], f" (line {line}, column {column})")


def _complete(spec: Spec, bundle: str, log: Log) -> None:
    if spec.oci_version and not _is_known(spec.oci_version):
        raise InvalidArgument(f"ociVersion {spec.oci_version} is not supported: this runtime knows 1.x")
    if not spec.process:
        raise InvalidArgument("process property must not be empty")
    if not spec.root or not spec.root.path:
        raise InvalidArgument("root must be specified")
    spec.root.path = os.path.join(bundle, spec.root.path)
    if not os.path.isdir(spec.root.path):
        reason = "not a directory" if os.path.exists(spec.root.path) else "no such file or directory"
        raise InvalidArgument(f"invalid rootfs: {spec.root.path}: {reason}")
    _check_linux(spec, spec.linux or Linux())
    for mount in spec.mounts:
        if mount.source.startswith(".") or ("bind" in mount.options and not mount.source.startswith("/")):
            mount.source = os.path.join(bundle, mount.source)
    linux = spec.linux = spec.linux or Linux()
    linux.resources = linux.resources or Resources()
    # A specification names what it adds to nothing; the devices in every /dev are the runtime's to allow.
    linux.resources.devices = [*defaults.OCI_DEVICE_RULES[:1], *linux.resources.devices, *defaults.OCI_DEVICE_RULES[1:]]


def _is_known(version: str) -> bool:
    """Whether it is 1.x.y, with whatever a pre-release or a build adds."""
    numbers = version.replace("+", "-").partition("-")[0].split(".")
    return len(numbers) == 3 and numbers[0] == "1" and all(number.isdecimal() for number in numbers)


def _check_linux(spec: Spec, linux: Linux) -> None:
    """What would do nothing, or do it to the host, as runc refuses it."""
    kinds = [namespace.type for namespace in linux.namespaces]
    own = set(kinds)
    if len(own) < len(kinds):
        raise InvalidArgument(f"linux.namespaces names a type twice: {', '.join(kinds)}")
    for name, value in (("hostname", spec.hostname), ("domainname", spec.domainname)):
        if value and "uts" not in own:
            raise InvalidArgument(f"unable to set {name} without a private UTS namespace")
    if linux.rootfs_propagation.removeprefix("r") not in ("", *_PROPAGATIONS):
        raise InvalidArgument(f"rootfsPropagation={linux.rootfs_propagation} is not supported")
    for mount in spec.mounts:
        if mount.type in ("proc", "sysfs") and os.path.islink(
            f"{spec.root.path if spec.root else ''}/{mount.destination}"
        ):
            raise InvalidArgument(f'filesystem "{mount.type}" must be mounted on ordinary directory')


def complete_process(process: Process, passwd: tuple[str, str], log: Log) -> None:
    """A process's environment and capabilities, as they can be; `passwd` is a directory and a path beneath it."""
    limits = [limit.type for limit in process.rlimits]
    if len(set(limits)) < len(limits):
        raise InvalidArgument(f"process.rlimits names a limit twice: {', '.join(limits)}")
    if not process.args:
        raise InvalidArgument("process.args must not be empty")
    process.env = environment.complete(process.env, process.user.uid, passwd)
    if process.capabilities:
        process.capabilities = _known(process.capabilities, log)
        _warn_of_ambient(process.capabilities, log)


def _known(sets: Capabilities, log: Log) -> Capabilities:
    """The specification wants no failure for a capability that there is not, but a warning."""
    given = msgspec.structs.asdict(sets)
    unknown = sorted({name for names in given.values() for name in names} - set(defaults.CAPABILITY_NUMBERS))
    if not unknown:
        return sets
    log.warning(f"ignoring unknown or unavailable capabilities: {' '.join(unknown)}")
    return Capabilities(**{kind: [n for n in names if n not in unknown] for kind, names in given.items()})


def _warn_of_ambient(sets: Capabilities, log: Log) -> None:
    """The kernel makes none ambient that is not both permitted and inheritable, capabilities(7)."""
    for name in sets.ambient:
        if name not in sets.permitted or name not in sets.inheritable:
            log.warning(f"can't raise ambient capability {name}: it is not both permitted and inheritable")
