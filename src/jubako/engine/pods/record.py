"""The record of a pod: what must survive a crash and a reboot.

`phase` is what was last acknowledged. Whether a `ready` pod is still there is told by its run directory, where its
namespaces are pinned (sandbox.is_there), and ending.finish brings the two together.
"""

from __future__ import annotations

from typing import NewType

import msgspec

from jubako.engine.options import SharedOptions

PodID = NewType("PodID", str)

CREATED, READY, STOPPED, REMOVING = "created", "ready", "stopped", "removing"
NET, IPC, UTS, PID = "net", "ipc", "uts", "pid"


class PodOptions(SharedOptions, frozen=True, omit_defaults=True, kw_only=True):
    """What a caller asks of a new pod.

    `share` are the namespaces that its containers have in common (net, ipc, uts, pid), `host` those of the host's that
    all of them are in (ipc, pid, uts; for the network that is `network="host"`).
    """

    share: list[str] = msgspec.field(default_factory=lambda: [NET, IPC, UTS])
    host: list[str] = []


class PodRecord(msgspec.Struct, omit_defaults=True, kw_only=True):
    """One pod. Times are nanoseconds since the epoch, 0 for never."""

    id: PodID
    name: str
    created_ns: int
    options: PodOptions

    phase: str = CREATED
    started_ns: int = 0
    finished_ns: int = 0
    error: str = ""

    @property
    def short_id(self) -> str:
        return self.id[:12]

    @property
    def hostname(self) -> str:
        """--hostname, or the pod's name as far as a host name may be that long. hostname(7)."""
        return self.options.hostname or self.name[:63]

    @property
    def exposed(self) -> list[str]:
        """No image says what a pod listens on."""
        return []

    @property
    def cgroup(self) -> str:
        """The group that its containers' lie in."""
        return f"pod{self.id}"

    @property
    def kept(self) -> list[str]:
        """The namespaces of its own, which are pinned."""
        return [kind for kind in self.options.share if not (kind == NET and self.options.network == "host")]
