"""A RUN's container as a runtime specification: Docker's defaults, or what BuildKit gives `--security=insecure`."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from jubako.build.files.failure import explained
from jubako.build.graph.execute import RunSpec
from jubako.build.runnetwork import HOSTNAME, Entry
from jubako.network import hosts, resolv
from jubako.runtime import defaults
from jubako.runtime.host_devices import device_of
from jubako.runtime.rlimits import rlimit
from jubako.runtime.users import Identity
from jubako.spec.oci_runtime import (
    Capabilities,
    Device,
    DeviceRule,
    Linux,
    Mount,
    Namespace,
    Process,
    Resources,
    Root,
    Spec,
    User,
)

_NAMESPACES = ("mount", "uts", "ipc", "pid", "cgroup")
# What an insecure RUN has beside the nodes of every container (BuildKit, util/entitlements/security).
_INSECURE_NODES = re.compile(r"kmsg|cuse|fuse|kvm|loop-control|loop[0-9]+")


def specification(spec: RunSpec, identity: Identity, env: Mapping[str, str], mounts: list[Mount]) -> Spec:
    insecure = spec.security == "insecure"
    names = list(defaults.ALL_CAPABILITIES if insecure else defaults.CAPABILITIES)
    held = names if identity.uid == 0 else []
    # Without its primary group among the others a process could shed it and be "other" to files (CVE-2022-36109).
    groups = list(dict.fromkeys([identity.gid, *identity.groups]))
    namespaces = [*_NAMESPACES, *(["network"] if spec.network != "host" else [])]
    return Spec(
        hostname=spec.hostname or HOSTNAME,
        root=Root(path="rootfs"),
        process=Process(
            user=User(uid=identity.uid, gid=identity.gid, additional_gids=groups),
            args=spec.arguments,
            env=[f"{name}={value}" for name, value in env.items()],
            cwd=spec.workdir,
            capabilities=Capabilities(bounding=names, effective=held, permitted=held),
            rlimits=[rlimit(text) for text in spec.ulimits],
        ),
        mounts=mounts,
        linux=Linux(
            namespaces=[Namespace(type=kind) for kind in namespaces],
            resources=Resources(devices=[DeviceRule(allow=True)] if insecure else list(defaults.DEVICE_RULES)),
            devices=list(_insecure_devices()) if insecure else [],
            masked_paths=[] if insecure else list(defaults.MASKED_PATHS),
            readonly_paths=[] if insecure else list(defaults.READONLY_PATHS),
        ),
    )


def own_mounts(run_dir: Path, spec: RunSpec, entries: Sequence[Entry], servers: Sequence[str]) -> list[Mount]:
    """The mounts of every container, and the files of this one, which are written to `run_dir`."""
    files = {"hosts": hosts.render(entries), "resolv.conf": resolv.render(servers=servers)}
    mounts = defaults.mounts(privileged=spec.security == "insecure")
    for mount in mounts:
        if mount.destination == "/dev/shm" and spec.shm_bytes:
            mount.options = [*(o for o in mount.options if not o.startswith("size=")), f"size={spec.shm_bytes}"]
    with explained("write"):
        for name, text in files.items():
            (run_dir / name).write_text(text)
            mounts.append(_bind(run_dir / name, f"/etc/{name}"))
        if spec.script is not None:
            script = run_dir / "script"
            script.write_text(spec.script)
            script.chmod(0o755)
            mounts.append(_bind(script, spec.arguments[0]))
    return mounts


def _bind(source: Path, destination: str) -> Mount:
    return Mount(destination=destination, type="bind", source=str(source), options=["rbind", "rprivate"])


def _insecure_devices() -> Iterator[Device]:
    """Those of the host's that are there."""
    with os.scandir("/dev") as entries:
        for entry in entries:
            if _INSECURE_NODES.fullmatch(entry.name) and not entry.is_dir():
                yield device_of(entry.stat(follow_symlinks=False), entry.path)
    if os.path.exists("/dev/net/tun"):
        yield device_of(os.stat("/dev/net/tun"), "/dev/net/tun")
