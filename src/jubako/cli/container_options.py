"""The options that `run` and `create` share: docker's names, turned into the engine's CreateOptions."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING

from jubako.cli import network_options, quantities
from jubako.cli.envfile import environment, labels
from jubako.cli.options import CPUS, DURATION, FLAG, INT, LIST, SIZE, SWAP, TEXT, Arguments, Kind, Option, UsageError
from jubako.errors import InvalidArgument

if TYPE_CHECKING:
    from jubako.engine.options import CreateOptions, SharedOptions
    from jubako.spec.oci_image import Healthcheck

CPU = (
    Option("cpu-period", "", INT, "Limit CPU CFS (Completely Fair Scheduler) period"),
    Option("cpu-quota", "", INT, "Limit CPU CFS (Completely Fair Scheduler) quota"),
    Option("cpu-shares", "c", INT, "CPU shares (relative weight)"),
    Option("cpus", "", CPUS, "Number of CPUs"),
    Option("cpuset-cpus", "", TEXT, "CPUs in which to allow execution (0-3, 0,1)"),
    Option("cpuset-mems", "", TEXT, "MEMs in which to allow execution (0-3, 0,1)"),
)

OPTIONS = (
    Option("add-host", "", Kind("list", quantities.host_entry, many=True), "Add a custom host-to-IP mapping (host:ip)"),
    Option("annotation", "", LIST, "Add an annotation to the container (passed through to the OCI runtime)"),
    Option("attach", "a", LIST, "Attach to STDIN, STDOUT or STDERR"),
    Option("cap-add", "", LIST, "Add Linux capabilities"),
    Option("cap-drop", "", LIST, "Drop Linux capabilities"),
    Option("cgroupns", "", TEXT, "Cgroup namespace to use (host|private)"),
    Option("cidfile", "", TEXT, "Write the container ID to the file"),
    *CPU,
    Option("device", "", LIST, "Add a host device to the container"),
    Option("dns", "", Kind("list", quantities.address, many=True), "Set custom DNS servers"),
    Option("dns-opt", "", LIST, "Set DNS options", hidden=True),
    Option("dns-option", "", LIST, "Set DNS options"),
    Option("dns-search", "", LIST, "Set custom DNS search domains"),
    Option("domainname", "", TEXT, "Container NIS domain name"),
    Option("entrypoint", "", TEXT, "Overwrite the default ENTRYPOINT of the image"),
    Option("env", "e", LIST, "Set environment variables"),
    Option("env-file", "", LIST, "Read in a file of environment variables"),
    Option("expose", "", LIST, "Expose a port or a range of ports"),
    Option("group-add", "", LIST, "Add additional groups to join"),
    Option("health-cmd", "", TEXT, "Command to run to check health"),
    Option("health-interval", "", DURATION, "Time between running the check (ms|s|m|h) (default 0s)"),
    Option(
        "health-on-failure", "", TEXT, "Action on a container that becomes unhealthy (none|kill|restart|stop)", "none"
    ),
    Option("health-retries", "", INT, "Consecutive failures needed to report unhealthy"),
    Option("health-start-interval", "", DURATION, "Time between running the check during the start period (ms|s|m|h)"),
    Option("health-start-period", "", DURATION, "Start period for the container to initialize (ms|s|m|h) (default 0s)"),
    Option("health-timeout", "", DURATION, "Maximum time to allow one check to run (ms|s|m|h) (default 0s)"),
    Option("hostname", "h", TEXT, "Container host name"),
    Option("init", "", FLAG, "Run an init inside the container that forwards signals and reaps processes"),
    Option("interactive", "i", FLAG, "Keep STDIN open even if not attached"),
    Option("ip", "", TEXT, "IPv4 address (e.g., 172.30.100.104)"),
    Option("ipc", "", TEXT, "IPC mode to use"),
    Option("label", "l", Kind("list", quantities.label, many=True), "Set meta data on a container"),
    Option("label-file", "", LIST, "Read in a line delimited file of labels"),
    Option("log-driver", "", TEXT, "Logging driver for the container", "json-file"),
    Option("log-opt", "", LIST, "Log driver options"),
    Option("mac-address", "", TEXT, "Container MAC address (e.g., 92:d0:c6:0a:29:33)"),
    Option("memory", "m", SIZE, "Memory limit"),
    Option("memory-reservation", "", SIZE, "Memory soft limit"),
    Option("memory-swap", "", SWAP, "Swap limit equal to memory plus swap: '-1' to enable unlimited swap"),
    Option("mount", "", LIST, "Attach a filesystem mount to the container"),
    Option("name", "", TEXT, "Assign a name to the container"),
    Option("net", "", LIST, "Connect a container to a network", hidden=True),
    Option("net-alias", "", LIST, "Add network-scoped alias for the container", hidden=True),
    Option("network", "", LIST, "Connect a container to a network"),
    Option("network-alias", "", LIST, "Add network-scoped alias for the container"),
    Option("no-healthcheck", "", FLAG, "Disable any container-specified HEALTHCHECK"),
    Option("oom-score-adj", "", INT, "Tune host's OOM preferences (-1000 to 1000)"),
    Option("pid", "", TEXT, "PID namespace to use"),
    Option("pids-limit", "", INT, "Tune container pids limit (set -1 for unlimited)"),
    Option("pod", "", TEXT, "Run container in an existing pod, or in a new one with new:NAME"),
    Option("platform", "", TEXT, "Set platform if the image has more than one"),
    Option("privileged", "", FLAG, "Give extended privileges to this container"),
    Option("publish", "p", LIST, "Publish a container's port(s) to the host"),
    Option("publish-all", "P", FLAG, "Publish all exposed ports to random ports"),
    Option("pull", "", TEXT, 'Pull image before running ("always", "missing", "never")', "missing"),
    Option("quiet", "q", FLAG, "Suppress the pull output"),
    Option("read-only", "", FLAG, "Mount the container's root filesystem as read only"),
    Option("restart", "", TEXT, "Restart policy to apply when a container exits", "no"),
    Option("rm", "", FLAG, "Automatically remove the container and its associated anonymous volumes when it exits"),
    Option("security-opt", "", LIST, "Security Options"),
    Option("shm-size", "", SIZE, "Size of /dev/shm"),
    Option("stop-signal", "", TEXT, "Signal to stop the container"),
    Option("stop-timeout", "", INT, "Timeout (in seconds) to stop a container"),
    Option("sysctl", "", Kind("map", quantities.sysctl, many=True), "Sysctl options"),
    Option("tmpfs", "", LIST, "Mount a tmpfs directory"),
    Option("tty", "t", FLAG, "Allocate a pseudo-TTY"),
    Option("ulimit", "", Kind("ulimit", quantities.ulimit, many=True), "Ulimit options"),
    Option("user", "u", TEXT, "Username or UID (format: <name|uid>[:<group|gid>])"),
    Option("userns", "", TEXT, "User namespace to use"),
    Option("uts", "", TEXT, "UTS namespace to use"),
    Option("volume", "v", LIST, "Bind mount a volume"),
    Option("workdir", "w", TEXT, "Working directory inside the container"),
)

# Of the commands that sit at a container: run, start, attach, exec.
DETACH_KEYS = Option("detach-keys", "", TEXT, "Override the key sequence for detaching a container")
SIG_PROXY = Option("sig-proxy", "", FLAG, "Proxy received signals to the process", True)

_SHM_BYTES = 64 << 20
_STREAMS = ("stdin", "stdout", "stderr")


def attached(arguments: Arguments, *, detach: bool = False) -> frozenset[str]:
    """The streams to attach: those of `-a`, else output, and input with `-i`; none when detached."""
    asked = [text.lower() for text in arguments.texts("attach")]
    for text in asked:
        if text not in _STREAMS:
            raise UsageError(
                f'invalid argument "{text}" for "-a, --attach" flag: valid streams are STDIN, STDOUT and STDERR'
            )
    if detach:
        return frozenset()
    if asked:
        return frozenset(asked)
    return frozenset(_STREAMS if arguments.flag("interactive") else _STREAMS[1:])


def shared_options(arguments: Arguments) -> SharedOptions:
    """The place in a network and the limits that are asked for, of a container or of a pod."""
    from jubako.engine.options import SharedOptions

    network, aliases, ip, mac_address = network_options.network_of(arguments)
    return SharedOptions(
        name=arguments.optional("name"),
        labels=labels(arguments.texts("label-file"), arguments.texts("label")),
        annotations=pairs(arguments, "annotation"),
        hostname=arguments.text("hostname"),
        domainname=arguments.text("domainname"),
        sysctls=pairs(arguments, "sysctl"),
        shm_size=arguments.number("shm-size") or _SHM_BYTES,
        network=network,
        network_aliases=aliases,
        ip=ip,
        mac_address=mac_address,
        publish=arguments.texts("publish"),
        extra_hosts=arguments.texts("add-host"),
        dns=arguments.texts("dns"),
        dns_search=arguments.texts("dns-search"),
        dns_options=arguments.texts("dns-option"),
        memory=arguments.number("memory") or 0,
        memory_reservation=arguments.number("memory-reservation") or 0,
        memory_swap=arguments.number("memory-swap") or 0,
        nano_cpus=arguments.number("cpus") or 0,
        cpu_shares=arguments.number("cpu-shares") or 0,
        cpu_period=arguments.number("cpu-period") or 0,
        cpu_quota=arguments.number("cpu-quota") or 0,
        cpuset_cpus=arguments.text("cpuset-cpus"),
        cpuset_mems=arguments.text("cpuset-mems"),
        pids_limit=arguments.number("pids-limit") or 0,
    )


def create_options(
    arguments: Arguments, streams: frozenset[str], inherited: Mapping[str, str] = os.environ
) -> CreateOptions:
    """The engine's options from the command line's; raises UsageError or InvalidArgument."""
    import msgspec

    from jubako.engine.options import CreateOptions

    image, *command = arguments.operands
    shared = msgspec.structs.asdict(shared_options(arguments)) | {
        "publish_all": arguments.flag("publish-all"),
        "dns_options": [*arguments.texts("dns-option"), *arguments.texts("dns-opt")],
    }
    return CreateOptions(
        **shared,
        image=image,
        command=command or None,
        entrypoint=_entrypoint(arguments),
        env=environment(arguments.texts("env-file"), arguments.texts("env"), inherited),
        user=arguments.text("user"),
        group_add=arguments.texts("group-add"),
        workdir=arguments.text("workdir"),
        tty=arguments.flag("tty"),
        open_stdin=arguments.flag("interactive"),
        attach_stdin="stdin" in streams,
        attach_stdout="stdout" in streams,
        attach_stderr="stderr" in streams,
        auto_remove=arguments.flag("rm"),
        init=arguments.flag("init"),
        stop_signal=arguments.text("stop-signal"),
        stop_timeout=arguments.number("stop-timeout"),
        restart=arguments.text("restart"),
        platform=arguments.optional("platform"),
        pull=arguments.text("pull"),
        pod=arguments.text("pod"),
        expose=arguments.texts("expose"),
        volumes=[_absolute_source(text) for text in arguments.texts("volume")],
        mounts=[_absolute_bind(text) for text in arguments.texts("mount")],
        tmpfs=arguments.texts("tmpfs"),
        read_only=arguments.flag("read-only"),
        privileged=arguments.flag("privileged"),
        cap_add=arguments.texts("cap-add"),
        cap_drop=arguments.texts("cap-drop"),
        security_opt=[_absolute_profile(text) for text in arguments.texts("security-opt")],
        devices=arguments.texts("device"),
        ulimits=arguments.texts("ulimit"),
        oom_score_adj=arguments.number("oom-score-adj"),
        ipc=arguments.text("ipc"),
        pid=arguments.text("pid"),
        uts=arguments.text("uts"),
        userns=arguments.text("userns"),
        cgroupns=arguments.text("cgroupns"),
        healthcheck=_healthcheck(arguments),
        health_on_failure=arguments.text("health-on-failure"),
        log_driver=arguments.text("log-driver"),
        log_opts=pairs(arguments, "log-opt"),
    )


def _entrypoint(arguments: Arguments) -> list[str] | None:
    text = arguments.optional("entrypoint")
    if text is None:
        return None
    return [text] if text else []


def _healthcheck(arguments: Arguments) -> Healthcheck | None:
    times = ("interval", "timeout", "start-period", "start-interval")
    durations = {name.replace("-", "_"): arguments.number(f"health-{name}") or 0 for name in times}
    command, retries = arguments.text("health-cmd"), arguments.number("health-retries") or 0
    asked = bool(command or retries or any(durations.values()))
    if arguments.flag("no-healthcheck"):
        if asked:
            raise InvalidArgument("--no-healthcheck conflicts with --health-* options")
    elif not asked:
        return None
    from jubako.spec.oci_image import Healthcheck

    if retries < 0 or min(durations.values()) < 0:
        raise InvalidArgument("a number of --health-* options cannot be negative")
    disabled = arguments.flag("no-healthcheck")
    test = ["NONE"] if disabled else ["CMD-SHELL", command] if command else None
    return Healthcheck(test=test, retries=retries, **durations)


def pairs(arguments: Arguments, name: str) -> dict[str, str]:
    return dict(text.partition("=")[::2] for text in arguments.texts(name))


def _absolute_source(text: str) -> str:
    """`-v ./data:/data`: a source that starts with a dot is relative to where we are."""
    source, colon, rest = text.partition(":")
    return f"{os.path.abspath(source)}:{rest}" if colon and source.startswith(".") else text


def _absolute_bind(text: str) -> str:
    fields = text.split(",")
    if "type=bind" not in fields:
        return text
    return ",".join(
        f"{key}={os.path.abspath(value)}" if key in ("source", "src") and value.startswith(".") else field
        for field in fields
        for key, _, value in (field.partition("="),)
    )


def _absolute_profile(text: str) -> str:
    name, equals, value = text.partition("=")
    if name != "seccomp" or not equals or value in ("unconfined", "builtin", "") or value.startswith("/"):
        return text
    return f"seccomp={os.path.abspath(value)}"
