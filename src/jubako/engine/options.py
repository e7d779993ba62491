"""What a caller asks of a new container: the options of `docker run`, with the same names and meanings; and what of
them is asked of a pod as well."""

from __future__ import annotations

import msgspec

from jubako.spec import decoding
from jubako.spec.oci_image import Healthcheck


class SharedOptions(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """A place in a network, and limits: what a container has for itself, and the containers of a pod together.

    Sizes are bytes; `nano_cpus` is billionths of a CPU. `publish` holds the command line's texts; `own_domain` is where
    its hosts file has its own name, besides the name alone.
    """

    name: str | None = None
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}
    hostname: str = ""
    domainname: str = ""
    sysctls: dict[str, str] = {}
    shm_size: int = 64 << 20

    network: str = "bridge"
    network_aliases: list[str] = []
    ip: str | None = None
    mac_address: str | None = None
    publish: list[str] = []
    publish_all: bool = False
    extra_hosts: list[str] = []
    own_domain: str = ""
    dns: list[str] = []
    dns_search: list[str] = []
    dns_options: list[str] = []

    memory: int = 0
    memory_reservation: int = 0
    memory_swap: int = 0
    nano_cpus: int = 0
    cpu_shares: int = 0
    cpu_period: int = 0
    cpu_quota: int = 0
    cpuset_cpus: str = ""
    cpuset_mems: str = ""
    pids_limit: int = 0


LOG_DRIVERS = ("json-file", "k8s-file", "none")
"""k8s-file is podman's name for the format of CRI; its `path` option says where the file lies."""

PLACE = (
    *("network", "network_aliases", "ip", "mac_address", "publish", "publish_all", "extra_hosts"),
    *("dns", "dns_search", "dns_options", "hostname", "domainname"),
)
"""What a pod has in place of its containers."""


class ProbeOptions(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """A command that a container's monitor performs in it from time to time; it rests until `after` is healthy."""

    name: str
    command: list[str]
    delay_ns: int = 0
    interval_ns: int = 10_000_000_000
    timeout_ns: int = 1_000_000_000
    failures: int = 3
    successes: int = 1
    after: str = ""


class CreateOptions(SharedOptions, frozen=True, omit_defaults=True, kw_only=True):
    """Everything but the image's own defaults.

    `command` and `entrypoint` are None when not given ([] clears the image's). `volumes` and `mounts` hold the command
    line's texts. In a `pod` (name or ID) a container is called `member`, and this is its `attempt`: see pods.members.
    """

    image: str
    command: list[str] | None = None
    entrypoint: list[str] | None = None
    env: list[str] = []
    user: str = ""
    group_add: list[str] = []
    workdir: str = ""
    tty: bool = False
    open_stdin: bool = False
    attach_stdin: bool = False
    attach_stdout: bool = True
    attach_stderr: bool = True
    auto_remove: bool = False
    init: bool = False
    stop_signal: str = ""
    stop_timeout: int | None = None
    restart: str = "no"
    platform: str | None = None
    pull: str = "missing"
    expose: list[str] = []

    pod: str = ""
    member: str = ""
    attempt: int = 0

    volumes: list[str] = []
    mounts: list[str] = []
    tmpfs: list[str] = []
    read_only: bool = False
    termination_message_path: str = ""

    healthcheck: Healthcheck | None = None
    health_on_failure: str = "none"
    probes: list[ProbeOptions] = []

    privileged: bool = False
    cap_add: list[str] = []
    cap_drop: list[str] = []
    security_opt: list[str] = []
    devices: list[str] = []
    ulimits: list[str] = []
    oom_score_adj: int | None = None
    ipc: str = ""
    pid: str = ""
    uts: str = ""
    userns: str = ""
    cgroupns: str = ""

    log_driver: str = "json-file"
    log_opts: dict[str, str] = {}


def check_types(options: msgspec.Struct) -> None:
    """Raise InvalidArgument where a program gives a value of another type, such as a text in place of a list."""
    from jubako.errors import InvalidArgument

    try:
        msgspec.convert(msgspec.to_builtins(options, builtin_types=(bytes,)), decoding.known(type(options)))
    except msgspec.ValidationError as error:
        reason, _, place = str(error).partition(" - at `$.")
        hint = 'give a list: ["sh", "-c", "…"]' if "`array" in reason and "got `str`" in reason else None
        raise InvalidArgument(f"{place.removesuffix('`')}: {reason}", hint=hint) from None
    except TypeError as error:
        raise InvalidArgument(f"{type(options).__name__}: {error}") from None


def validate(options: CreateOptions) -> None:
    """Refuse what no container could have; raises InvalidArgument with Docker's wording where there is one."""
    from jubako.engine import limits
    from jubako.errors import InvalidArgument

    limits.validate(options)
    if options.oom_score_adj is not None and not -1000 <= options.oom_score_adj <= 1000:
        raise InvalidArgument(f"Invalid value {options.oom_score_adj}, range for oom score adj is [-1000, 1000]")
    if options.log_driver not in LOG_DRIVERS:
        raise InvalidArgument(
            f"logger: no log driver named '{options.log_driver}' is registered",
            hint=f"{', '.join(LOG_DRIVERS[:-1])} and {LOG_DRIVERS[-1]} are available",
        )
    if options.log_driver == "none" and options.log_opts:
        raise InvalidArgument("invalid logging opts for driver none")
    policy, _ = restart_policy(options.restart)
    if options.auto_remove and policy != "no":
        raise InvalidArgument("conflicting options: cannot specify both --restart and --rm")


def restart_policy(text: str) -> tuple[str, int]:
    """Split `on-failure:3` into the policy and its count of retries (0 = no limit); raises InvalidArgument."""
    from jubako.errors import InvalidArgument

    name, _, count = text.partition(":")
    if name not in ("", "no", "always", "unless-stopped", "on-failure"):
        raise InvalidArgument(f"invalid restart policy: unknown policy '{name}'")
    if count and not count.removeprefix("-").isdecimal():
        raise InvalidArgument("invalid restart policy format: maximum retry count must be an integer")
    if count and name != "on-failure":
        raise InvalidArgument("invalid restart policy: maximum retry count can only be used with 'on-failure'")
    if count.startswith("-"):
        raise InvalidArgument("invalid restart policy: maximum retry count cannot be negative")
    return name or "no", int(count or 0)
