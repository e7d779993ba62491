"""jubako pod create."""

from __future__ import annotations

from jubako.cli import container_options
from jubako.cli.call import Call
from jubako.cli.command import AT_MOST_ONE, Command
from jubako.cli.options import LIST, TEXT, Arguments, Option

_SHARED = frozenset(
    "add-host annotation cpu-period cpu-quota cpu-shares cpus cpuset-cpus cpuset-mems dns dns-option dns-search "
    "domainname hostname ip label label-file mac-address memory memory-reservation memory-swap name net net-alias "
    "network network-alias pids-limit publish shm-size sysctl".split()
)
_SHARE = "ipc,net,uts"
_WORDS = {
    "annotation": "Add an annotation to the pod",
    "hostname": "Host name of the pod",
    "domainname": "NIS domain name of the pod",
    "label": "Set metadata on the pod",
    "mac-address": "MAC address of the pod (e.g., 92:d0:c6:0a:29:33)",
    "name": "Assign a name to the pod",
    "network": "Connect the pod to a network",
    "network-alias": "Add network-scoped alias for the pod",
    "pids-limit": "Most processes of all containers together (-1 for unlimited)",
    "publish": "Publish ports of the pod to the host",
    "shm-size": "Size of /dev/shm, which the containers share",
}


def run(call: Call, arguments: Arguments) -> int:
    import msgspec

    from jubako.engine.pods.record import PodOptions

    shared = msgspec.structs.asdict(container_options.shared_options(arguments))
    shared["name"] = next(iter(arguments.operands), None) or shared["name"]
    options = PodOptions(**shared, share=_share(arguments), host=arguments.texts("host"))
    pod = call.engine.pods.create(options)
    call.line(pod.id)
    return 0


def _share(arguments: Arguments) -> list[str]:
    """`net,ipc`, or podman's `+pid`: the default ones and that."""
    text = arguments.text("share")
    asked = [kind for kind in text.removeprefix("+").split(",") if kind not in ("", "none")]
    return [*_SHARE.split(","), *asked] if text.startswith("+") else asked


def _of_pod(option: Option) -> Option:
    words = _WORDS.get(option.name, option.help)
    return Option(option.name, option.short, option.kind, words, option.default, hidden=option.hidden)


COMMAND = Command(
    run,
    "[OPTIONS] [NAME]",
    AT_MOST_ONE,
    (
        *(_of_pod(option) for option in container_options.OPTIONS if option.name in _SHARED),
        Option("host", "", LIST, "Namespaces of the host that the containers are in (ipc, pid, uts)"),
        Option("share", "", TEXT, "Comma-separated namespaces that the containers share (ipc, net, uts)", _SHARE),
    ),
)
