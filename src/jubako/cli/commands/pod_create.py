"""jubako pod create."""

from __future__ import annotations

from jubako.cli import container_options
from jubako.cli.call import Call
from jubako.cli.command import AT_MOST_ONE, Command
from jubako.cli.container_options import network_of, pairs
from jubako.cli.envfile import labels
from jubako.cli.options import LIST, TEXT, Arguments, Option

_SHARED = frozenset(
    "add-host annotation cpu-period cpu-quota cpu-shares cpus cpuset-cpus cpuset-mems dns dns-option dns-search "
    "domainname hostname ip label label-file mac-address memory memory-reservation memory-swap name net net-alias "
    "network network-alias pids-limit publish shm-size sysctl".split()
)
_SHARE = "ipc,net,uts"


def run(call: Call, arguments: Arguments) -> int:
    from jubako.engine.pods.record import PodOptions

    network, aliases, ip, mac_address = network_of(arguments)
    pod = call.engine.pods.create(
        PodOptions(
            name=next(iter(arguments.operands), None) or arguments.optional("name"),
            labels=labels(arguments.texts("label-file"), arguments.texts("label")),
            annotations=pairs(arguments, "annotation"),
            hostname=arguments.text("hostname"),
            domainname=arguments.text("domainname"),
            share=_share(arguments),
            host=arguments.texts("host"),
            sysctls=pairs(arguments, "sysctl"),
            shm_size=arguments.number("shm-size") or 64 << 20,
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
    )
    call.line(pod.id)
    return 0


def _share(arguments: Arguments) -> list[str]:
    """`net,ipc`, or podman's `+pid`: the default ones and that."""
    text = arguments.text("share")
    asked = [kind for kind in text.removeprefix("+").split(",") if kind not in ("", "none")]
    return [*_SHARE.split(","), *asked] if text.startswith("+") else asked


COMMAND = Command(
    run,
    "[OPTIONS] [NAME]",
    AT_MOST_ONE,
    (
        *(option for option in container_options.OPTIONS if option.name in _SHARED),
        Option("host", "", LIST, "Namespaces of the host that the containers are in (ipc, pid, uts)"),
        Option("share", "", TEXT, "Comma-separated namespaces that the containers share (ipc, net, uts)", _SHARE),
    ),
)
