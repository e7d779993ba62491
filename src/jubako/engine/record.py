"""The record of a container: what must survive a crash and a reboot.

`phase` is what was last acknowledged. Whether a `running` container still runs is the run directory's word
(runtime.state), and lifecycle.finish brings the two together.
"""

from __future__ import annotations

from typing import NewType

import msgspec

from jubako.engine.mounts import MountPoint
from jubako.engine.options import CreateOptions, restart_policy
from jubako.network.record import PortBinding
from jubako.runtime.health import Health
from jubako.spec import clock
from jubako.spec.oci_image import DiffID, Healthcheck

ContainerID = NewType("ContainerID", str)

CREATED, RUNNING, EXITED, REMOVING = "created", "running", "exited", "removing"


class ContainerRecord(msgspec.Struct, omit_defaults=True, kw_only=True):
    """One container. Times are nanoseconds since the epoch, 0 for never.

    `probed` is the status of each probe that was last told of, `health` what had come of the health check at the end.
    `carried` are the published ports of a container whose connections pasta makes. `cgroup_place` says which manager
    the group `cgroup` is of (linux.cgroup).
    """

    id: ContainerID
    name: str
    created_ns: int
    image_id: str
    image_name: str
    layers: list[DiffID]
    options: CreateOptions

    args: list[str]
    env: list[str]
    workdir: str
    user: str
    labels: dict[str, str]
    stop_signal: str
    exposed: list[str] = []
    mounts: list[MountPoint] = []
    healthcheck: Healthcheck | None = None
    shell: list[str] = []

    phase: str = CREATED
    cgroup: str = ""
    cgroup_place: str = ""
    pid: int = 0
    started_ns: int = 0
    finished_ns: int = 0
    exit_code: int = 0
    oom_killed: bool = False
    error: str = ""
    restart_count: int = 0
    stopped_by_user: bool = False
    probed: dict[str, str] = {}
    health: Health | None = None
    carried: list[PortBinding] = []
    paused: bool = False

    @property
    def needed_layers(self) -> list[DiffID]:
        """Those of its image, and of images that it mounts."""
        return [*self.layers, *(layer for point in self.mounts for layer in point.layers)]

    @property
    def image_ids(self) -> set[str]:
        """Its image, and those that it mounts."""
        return {self.image_id, *(point.image_id for point in self.mounts if point.image_id)}

    @property
    def short_id(self) -> str:
        return self.id[:12]

    @property
    def hostname(self) -> str:
        """--hostname, or the first twelve digits of the ID."""
        return self.options.hostname or self.short_id

    @property
    def uniques(self) -> list[str]:
        """What it is found by: its name, and what of which pod it is."""
        pod = self.options.pod
        return [self.name, *([f"{pod}/{self.id}"] if pod else [])]

    @property
    def status(self) -> str:
        """Docker's State.Status."""
        return "paused" if self.paused and self.phase == RUNNING else self.phase

    @property
    def reason(self) -> str:
        """Why it does not run, in the words of a Kubernetes container status; "" for one that runs or never did."""
        if self.phase == RUNNING or not (self.finished_ns or self.error):
            return ""
        if self.oom_killed:
            return "OOMKilled"
        if not self.finished_ns:
            return "StartError"
        return "Error" if self.exit_code else "Completed"

    @property
    def wants_restart(self) -> bool:
        """Whether it starts again after this end."""
        policy, retries = restart_policy(self.options.restart)
        if self.stopped_by_user or policy == "no":
            return False
        if policy == "on-failure":
            return self.exit_code != 0 and (not retries or self.restart_count < retries)
        return True

    def started_at(self) -> str:
        return clock.stamp(self.started_ns) if self.started_ns else clock.ZERO

    def finished_at(self) -> str:
        return clock.stamp(self.finished_ns) if self.finished_ns else clock.ZERO
