"""The OCI runtime configuration (`config.json`), with its wire names.

Unknown fields are tolerated on reading. Lists that the spec lets be absent are None or empty here.

Spec: OCI runtime-spec 1.2 (config.md, config-linux.md).
"""

# Without `from __future__ import annotations`: an annotation would be a string, which msgspec compiles when it first
# decodes, and there are enough of them here to be felt in a cold start.
from typing import Annotated, Any

import msgspec

from jubako.spec import decoding

# All ones says "do not change" to setresuid(2) and chown(2).
ID = Annotated[int, msgspec.Meta(ge=0, le=(1 << 32) - 2)]
Mode = Annotated[int, msgspec.Meta(ge=0, le=(1 << 32) - 1)]
Count = Annotated[int, msgspec.Meta(ge=0, le=(1 << 32) - 1)]
Signed32 = Annotated[int, msgspec.Meta(ge=-(1 << 31), le=(1 << 31) - 1)]
Signed64 = Annotated[int, msgspec.Meta(ge=-(1 << 63), le=(1 << 63) - 1)]
# What dev_t has room for, makedev(3).
Major = Annotated[int, msgspec.Meta(ge=0, le=(1 << 12) - 1)]
Minor = Annotated[int, msgspec.Meta(ge=0, le=(1 << 20) - 1)]


class Struct(msgspec.Struct, omit_defaults=True, rename="camel", kw_only=True):
    """Base: camelCase on the wire, absent when default. Mutable: a specification is composed step by step."""


class User(Struct, kw_only=True):
    uid: ID = 0
    gid: ID = 0
    umask: Mode | None = None
    additional_gids: list[ID] = []


class Box(Struct, kw_only=True):
    height: Count = 0
    width: Count = 0


class Capabilities(Struct, kw_only=True):
    bounding: list[str] = []
    effective: list[str] = []
    inheritable: list[str] = []
    permitted: list[str] = []
    ambient: list[str] = []


class Rlimit(Struct, kw_only=True):
    type: str
    soft: int
    hard: int


class Scheduler(Struct, kw_only=True):
    """sched_setattr(2); `runtime`, `deadline` and `period` are nanoseconds."""

    policy: str
    nice: Signed32 = 0
    priority: Signed32 = 0
    flags: list[str] = []
    runtime: int = 0
    deadline: int = 0
    period: int = 0


class IOPriority(Struct, kw_only=True):
    """`class_` is IOPRIO_CLASS_RT, _BE or _IDLE; `priority` 0 (highest) to 7."""

    class_: str = msgspec.field(name="class")
    priority: int = 0


class CPUAffinity(Struct, kw_only=True):
    """Processor lists such as 0-3,8: before and after the process is in the container's cgroup."""

    initial: str = ""
    final: str = ""


class Process(Struct, kw_only=True):
    terminal: bool = False
    console_size: Box | None = None
    user: User = msgspec.field(default_factory=User)
    args: list[str] = []
    env: list[str] = []
    cwd: str = "/"
    capabilities: Capabilities | None = None
    rlimits: list[Rlimit] = []
    no_new_privileges: bool = False
    apparmor_profile: str = ""
    oom_score_adj: Annotated[int, msgspec.Meta(ge=-1000, le=1000)] | None = None
    selinux_label: str = ""
    scheduler: Scheduler | None = None
    io_priority: IOPriority | None = None
    exec_cpu_affinity: CPUAffinity | None = msgspec.field(default=None, name="execCPUAffinity")


class Root(Struct, kw_only=True):
    path: str
    readonly: bool = False


class IDMapping(Struct, kw_only=True):
    container_id: ID = msgspec.field(name="containerID")
    host_id: ID = msgspec.field(name="hostID")
    size: Count


class Mount(Struct, kw_only=True):
    """One mount; also how a snapshotter describes a root filesystem (`destination` is then "/")."""

    destination: str
    type: str = ""
    source: str = ""
    options: list[str] = []
    uid_mappings: list[IDMapping] = []
    gid_mappings: list[IDMapping] = []


class Namespace(Struct, kw_only=True):
    """`type` is pid, network, mount, ipc, uts, user, cgroup or time; `path` joins one instead of making it."""

    type: str
    path: str = ""


class Device(Struct, kw_only=True):
    type: str
    path: str
    major: Major = 0
    minor: Minor = 0
    file_mode: Mode | None = None
    uid: ID | None = None
    gid: ID | None = None


class DeviceRule(Struct, kw_only=True):
    allow: bool
    type: str = "a"
    major: int | None = None
    minor: int | None = None
    access: str = "rwm"


class MemoryResources(Struct, kw_only=True):
    """Bytes; -1 is unlimited, 0 says nothing. `swap` is memory and swap together."""

    limit: Signed64 | None = None
    reservation: Signed64 | None = None
    swap: Signed64 | None = None
    kernel: int | None = None
    kernel_tcp: int | None = msgspec.field(default=None, name="kernelTCP")
    swappiness: int | None = None
    disable_oom_killer: bool | None = msgspec.field(default=None, name="disableOOMKiller")
    use_hierarchy: bool | None = None
    check_before_update: bool | None = None


class CPUResources(Struct, kw_only=True):
    """`shares` is a weight; `quota` and `period` are microseconds; `cpus` and `mems` are lists such as 0-3,8."""

    shares: int | None = None
    quota: int | None = None
    period: int | None = None
    burst: int | None = None
    realtime_runtime: int | None = None
    realtime_period: int | None = None
    cpus: str = ""
    mems: str = ""
    idle: int | None = None


class PidsResources(Struct, kw_only=True):
    """-1 is unlimited, 0 says nothing."""

    limit: int = 0


class WeightDevice(Struct, kw_only=True):
    major: int
    minor: int
    weight: int | None = None
    leaf_weight: int | None = None


class ThrottleDevice(Struct, kw_only=True):
    major: int
    minor: int
    rate: int


class BlockIOResources(Struct, kw_only=True):
    weight: int | None = None
    leaf_weight: int | None = None
    weight_device: list[WeightDevice] = []
    throttle_read_bps_device: list[ThrottleDevice] = []
    throttle_write_bps_device: list[ThrottleDevice] = []
    throttle_read_iops_device: list[ThrottleDevice] = msgspec.field(default_factory=list, name="throttleReadIOPSDevice")
    throttle_write_iops_device: list[ThrottleDevice] = msgspec.field(
        default_factory=list, name="throttleWriteIOPSDevice"
    )


class HugepageLimit(Struct, kw_only=True):
    page_size: str = ""
    pagesize: str = ""  # the same: Go's decoder takes any case, and this one is in use
    limit: int

    def __post_init__(self) -> None:
        self.page_size, self.pagesize = self.page_size or self.pagesize, ""


class InterfacePriority(Struct, kw_only=True):
    name: str
    priority: int


class NetworkResources(Struct, kw_only=True):
    class_id: int | None = msgspec.field(default=None, name="classID")
    priorities: list[InterfacePriority] = []


class RdmaLimit(Struct, kw_only=True):
    hca_handles: int | None = None
    hca_objects: int | None = None


class Resources(Struct, kw_only=True):
    """`rdma` is by device, `unified` by file of the cgroup v2 directory."""

    devices: list[DeviceRule] = []
    memory: MemoryResources | None = None
    cpu: CPUResources | None = None
    pids: PidsResources | None = None
    block_io: BlockIOResources | None = msgspec.field(default=None, name="blockIO")
    hugepage_limits: list[HugepageLimit] = []
    network: NetworkResources | None = None
    rdma: dict[str, RdmaLimit] = {}
    unified: dict[str, str] = {}


class SeccompArg(Struct, kw_only=True):
    index: int
    value: int
    value_two: int = 0
    op: str


class SeccompRule(Struct, kw_only=True):
    names: list[str]
    action: str
    errno_ret: int | None = None
    args: list[SeccompArg] | None = None


class Seccomp(Struct, kw_only=True):
    """`flags` None (absent) leaves them to the runtime, [] is none."""

    default_action: str = ""
    default_errno_ret: int | None = None
    architectures: list[str] | None = None
    flags: list[str] | None = None
    listener_path: str = ""
    listener_metadata: str = ""
    syscalls: list[SeccompRule] | None = None


class TimeOffset(Struct, kw_only=True):
    secs: Signed64 = 0
    nanosecs: Count = 0


class Personality(Struct, kw_only=True):
    """`domain` is LINUX or LINUX32."""

    domain: str
    flags: list[str] = []


class MemoryPolicy(Struct, kw_only=True):
    """set_mempolicy(2); `nodes` is a list such as 0-3,8."""

    mode: str
    nodes: str = ""
    flags: list[str] = []


class Linux(Struct, kw_only=True):
    uid_mappings: list[IDMapping] = []
    gid_mappings: list[IDMapping] = []
    sysctl: dict[str, str] = {}
    resources: Resources | None = None
    cgroups_path: str = ""
    namespaces: list[Namespace] = []
    devices: list[Device] = []
    seccomp: Seccomp | None = None
    rootfs_propagation: str = ""
    masked_paths: list[str] = []
    readonly_paths: list[str] = []
    mount_label: str = ""
    time_offsets: dict[str, TimeOffset] = {}
    personality: Personality | None = None
    memory_policy: MemoryPolicy | None = None
    intel_rdt: dict[str, Any] | None = None


class Hook(Struct, kw_only=True):
    path: str
    args: list[str] = []
    env: list[str] | None = None
    timeout: int | None = None


class Hooks(Struct, kw_only=True):
    prestart: list[Hook] = []
    create_runtime: list[Hook] = []
    create_container: list[Hook] = []
    start_container: list[Hook] = []
    poststart: list[Hook] = []
    poststop: list[Hook] = []


class Spec(Struct, kw_only=True):
    oci_version: str = "1.2.0"
    process: Process | None = None
    root: Root | None = None
    hostname: str = ""
    domainname: str = ""
    mounts: list[Mount] = []
    hooks: Hooks | None = None
    annotations: dict[str, str] = {}
    linux: Linux | None = None


def decode(data: bytes) -> Spec:
    """Decode a `config.json`; raises msgspec.ValidationError with the path of the field that is wrong."""
    try:
        return decoding.decode(data, Spec)
    except msgspec.ValidationError:
        return msgspec.convert(_without_null(msgspec.json.decode(data)), decoding.known(Spec))


def _without_null(value: Any) -> Any:
    """Programs in Go write null for lists and maps that they have not got."""
    if isinstance(value, dict):
        return {name: _without_null(item) for name, item in value.items() if item is not None}
    return [_without_null(item) for item in value] if isinstance(value, list) else value


def encode(spec: Spec) -> bytes:
    """Encode as a `config.json`, with what other runtimes require even where it is the default."""
    document: dict[str, Any] = msgspec.to_builtins(spec)
    document.setdefault("ociVersion", spec.oci_version)
    if "process" in document:
        document["process"].setdefault("cwd", "/")
        document["process"]["user"] = {"uid": 0, "gid": 0, **document["process"].get("user", {})}
    for rule in document.get("linux", {}).get("resources", {}).get("devices", ()):
        rule.setdefault("access", "rwm")
    return msgspec.json.format(msgspec.json.encode(document), indent=2)
