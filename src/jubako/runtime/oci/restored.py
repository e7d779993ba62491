"""What criu has made, before it runs: images from anywhere may not give it more than the bundle does."""

from __future__ import annotations

import os
from collections.abc import Iterable

from jubako.errors import FailedPrecondition
from jubako.linux.netlink import route
from jubako.linux.netlink.connection import NETLINK_ROUTE, Connection
from jubako.runtime import defaults
from jubako.runtime.namespaces import file_of, new_namespaces
from jubako.spec.oci_runtime import Capabilities, Linux, Process, Spec

_CAPABILITIES = ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")


def bring_loopback_up(pid: int, spec: Spec) -> None:
    """As in a new container: criu makes the network namespace without the state of its devices."""
    if "network" not in new_namespaces(spec.linux or Linux()):
        return
    namespace = os.open(f"/proc/{pid}/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    try:
        with Connection(NETLINK_ROUTE, namespace) as connection:
            connection.do(route.set_loopback_up())
    finally:
        os.close(namespace)


def check(pids: Iterable[int], init: int, worker: int, spec: Spec) -> None:
    """Raises FailedPrecondition naming what a process has that the bundle does not give.

    Of `pids` (all in the group) criu, which is `worker`, and its own children are left out.
    """
    found = {pid: _status(pid) for pid in pids if pid != worker}
    if init not in found:
        raise FailedPrecondition("the checkpoint puts its first process into another control group")
    allowed = _allowed(spec.process or Process())
    for pid, status in found.items():
        if status["PPid"] != str(worker):
            _check_status(status, spec, allowed)
            _check_namespaces(pid, spec.linux or Linux())


def _status(pid: int) -> dict[str, str]:
    with open(f"/proc/{pid}/status") as file:
        return dict(line.rstrip("\n").split(":\t", 1) for line in file if ":\t" in line)


def _allowed(process: Process) -> int:
    given = process.capabilities or Capabilities()
    names = {*given.bounding, *given.permitted, *given.inheritable}
    return sum(1 << defaults.CAPABILITY_NUMBERS[name] for name in names)


def _check_status(status: dict[str, str], spec: Spec, allowed: int) -> None:
    for name in _CAPABILITIES:
        if int(status[name], 16) & ~allowed:
            raise FailedPrecondition(f"the checkpoint has capabilities that the bundle does not give ({name})")
    if spec.process and spec.process.no_new_privileges and status["NoNewPrivs"] != "1":
        raise FailedPrecondition("the checkpoint lacks the no_new_privs that the bundle demands")
    if spec.linux and spec.linux.seccomp and status["Seccomp"] != "2":
        raise FailedPrecondition("the checkpoint lacks the seccomp filter that the bundle demands")


def _check_namespaces(pid: int, linux: Linux) -> None:
    for kind in new_namespaces(linux):
        file = f"ns/{file_of(kind)}"
        if os.path.samefile(f"/proc/{pid}/{file}", f"/proc/self/{file}"):
            raise FailedPrecondition(f"the checkpoint is in the host's {kind} namespace, the bundle's is a new one")
