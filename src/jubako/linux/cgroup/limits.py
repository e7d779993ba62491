"""Writing of limits: what can not be done here is refused with the name that the specification gives it.

A limit is (directory, file, text, name). An empty directory stands for a controller that this host does not have.
"""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Iterable, Iterator, Mapping

import msgspec

from jubako.errors import FailedPrecondition, InvalidArgument, JubakoError, PermissionDenied
from jubako.linux.cgroup.files import read_text, write_text
from jubako.spec.oci_runtime import BlockIOResources, HugepageLimit, RdmaLimit, ThrottleDevice

_PAGE_SIZE = r"[1-9][0-9]*[KMG]B"  # compiled by those that need it


class Limit(msgspec.Struct, frozen=True):
    """What to write where; `name` is that of the property, such as cpu.shares."""

    directory: str
    file: str
    text: str
    name: str


def set_limit(directory: str, file: str, value: int | str, name: str) -> None:
    """Write one limit; FailedPrecondition where there is nothing to write it to, InvalidArgument for a bad value."""
    limit = Limit(directory, file, str(value), name)
    try:
        _write(limit)
    except OSError as error:
        raise refusal(limit, error) from None


def settle(limits: Iterable[Limit]) -> None:
    """Write limits that bound each other, in whichever order the kernel takes them: EINVAL is tried again later."""
    left = list(limits)
    while left:
        refused: list[tuple[Limit, OSError]] = []
        for limit in left:
            try:
                _write(limit)
            except OSError as error:
                if error.errno != errno.EINVAL:
                    raise refusal(limit, error) from None
                refused.append((limit, error))
        if len(refused) == len(left):
            raise refusal(*refused[0]) from None
        left = [limit for limit, _ in refused]


def _write(limit: Limit) -> None:
    if not limit.directory:
        raise FileNotFoundError(errno.ENOENT, "no such controller", "")
    write_text(f"{limit.directory}/{limit.file}", limit.text)


def refusal(limit: Limit, error: OSError) -> JubakoError:
    """What `error` means to the one who asked for `limit`."""
    if isinstance(error, FileNotFoundError):
        return missing(limit.directory, limit.file, limit.name)
    message = f"cannot set {limit.name} to {limit.text!r}: {os.strerror(error.errno or 0)} ({error.filename})"
    if isinstance(error, PermissionError):
        return PermissionDenied(message)
    return InvalidArgument(message)


def missing(directory: str, file: str, name: str) -> FailedPrecondition:
    """The refusal of a limit whose control file is not there."""
    controller = file.partition(".")[0]
    if not directory or not has_controller(directory, controller):
        return FailedPrecondition(f"cannot set {name}: the {controller} controller is not available")
    return FailedPrecondition(f"cannot set {name}: this kernel has no {file}")


def has_controller(directory: str, controller: str) -> bool:
    """Whether a group has it; a v1 directory has what it is mounted for."""
    try:
        return controller in ("cgroup", *read_text(f"{directory}/cgroup.controllers").split())
    except FileNotFoundError:
        return True


def check_bytes(name: str, value: int | None) -> int:
    """0 for what says nothing, -1 for unlimited, else a number of bytes."""
    if value is not None and value < -1:
        raise InvalidArgument(f"invalid {name}: {value}")
    return value or 0


def set_hugepages(directory: str, limits: Iterable[HugepageLimit], suffix: str) -> None:
    """Limit use, and reservations where the kernel counts them. `suffix` is limit_in_bytes on v1, max on v2."""
    for limit in limits:
        name = f"hugepageLimits[{limit.page_size}]"
        if not re.fullmatch(_PAGE_SIZE, limit.page_size) or limit.limit < 0:
            raise InvalidArgument(f"invalid {name}: {limit.limit}")
        set_limit(directory, f"hugetlb.{limit.page_size}.{suffix}", limit.limit, name)
        reservation = f"hugetlb.{limit.page_size}.rsvd.{suffix}"
        if os.path.exists(f"{directory}/{reservation}"):
            set_limit(directory, reservation, limit.limit, name)


def set_rdma(directory: str, limits: Mapping[str, RdmaLimit]) -> None:
    """One line a device; what an entry leaves out stays."""
    for device, limit in limits.items():
        numbers = {"hca_handle": limit.hca_handles, "hca_object": limit.hca_objects}
        words = [f"{key}={number}" for key, number in numbers.items() if number is not None]
        if not words or not device or " " in device:
            raise InvalidArgument(f"rdma[{device}] needs hcaHandles or hcaObjects")
        set_limit(directory, "rdma.max", " ".join([device, *words]), f"rdma[{device}]")


def throttles(block: BlockIOResources) -> Iterator[tuple[str, str, str, ThrottleDevice]]:
    """(read or write, bps or iops, name, device) of every throttle."""
    for direction, unit, name, devices in (
        ("read", "bps", "throttleReadBpsDevice", block.throttle_read_bps_device),
        ("write", "bps", "throttleWriteBpsDevice", block.throttle_write_bps_device),
        ("read", "iops", "throttleReadIOPSDevice", block.throttle_read_iops_device),
        ("write", "iops", "throttleWriteIOPSDevice", block.throttle_write_iops_device),
    ):
        for device in devices:
            yield direction, unit, f"blockIO.{name}[{device.major}:{device.minor}]", device
