"""The specification that `spec` writes: a shell on a read-only rootfs, as runc's."""

from __future__ import annotations

import os

from jubako.linux import cgroup
from jubako.runtime import defaults
from jubako.spec.oci_runtime import (
    Capabilities,
    DeviceRule,
    IDMapping,
    Linux,
    Namespace,
    Process,
    Resources,
    Rlimit,
    Root,
    Spec,
)

_NAMES = ["CAP_AUDIT_WRITE", "CAP_KILL", "CAP_NET_BIND_SERVICE"]


def specification(*, rootless: bool) -> Spec:
    kinds = ["pid", "network", "ipc", "uts", "mount"]
    if cgroup.manager().version == "v2":
        kinds.append("cgroup")  # as runc: v1's own tools look for the host's paths
    linux = Linux(
        namespaces=[Namespace(type=kind) for kind in kinds],
        masked_paths=list(defaults.MASKED_PATHS),
        readonly_paths=list(defaults.READONLY_PATHS),
        resources=Resources(devices=[DeviceRule(allow=False, access="rwm")]),
    )
    if rootless:
        linux.namespaces.append(Namespace(type="user"))
        linux.uid_mappings = [IDMapping(container_id=0, host_id=os.geteuid(), size=1)]
        linux.gid_mappings = [IDMapping(container_id=0, host_id=os.getegid(), size=1)]
        linux.resources = None
    return Spec(
        process=Process(
            terminal=True,
            args=["sh"],
            env=["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "TERM=xterm"],
            capabilities=Capabilities(bounding=_NAMES, effective=_NAMES, permitted=_NAMES),
            rlimits=[Rlimit(type="RLIMIT_NOFILE", soft=1024, hard=1024)],
            no_new_privileges=True,
        ),
        root=Root(path="rootfs", readonly=True),
        hostname="jubako",
        mounts=defaults.mounts(),
        linux=linux,
    )
