"""Controls of what a pod shares with its host: namespaces, ports, addresses that probes ask.

Spec: "Pod Security Standards", Baseline: Host Namespaces, Host Ports, Host Probes / Lifecycle Hooks, HostProcess.
"""

from __future__ import annotations

from jubako.cluster.apiserver.podsecurity.pod import Container, Pod, Violation, containers, plural, quoted, setters
from jubako.cluster.types.document import Object, at, integer, objects, text

_NAMESPACES = ("hostNetwork", "hostPID", "hostIPC")
_PROBES = (
    ("livenessProbe",), ("readinessProbe",), ("startupProbe",), ("lifecycle", "postStart"), ("lifecycle", "preStop"),
)  # fmt: skip


def host_namespaces(pod: Pod) -> Violation | None:
    shared = [f"{name}=true" for name in _NAMESPACES if pod.spec.get(name)]
    return Violation("host namespaces", ", ".join(shared)) if shared else None


def host_ports(pod: Pod) -> Violation | None:
    bad = pod.named(_ports)
    if not bad:
        return None
    ports = sorted({port for each in pod.containers for port in _ports(each)})
    verb = "uses" if len(bad) == 1 else "use"
    return Violation("hostPort", f"{containers(bad)} {verb} {plural('hostPort', len(ports))} {', '.join(ports)}")


def _ports(container: Container) -> list[str]:
    ports = [integer(each.get("hostPort")) for each in objects(container.document.get("ports"))]
    return [str(port) for port in ports if port]


def host_probes(pod: Pod) -> Violation | None:
    bad = sorted(set(pod.named(_hosts)))
    if not bad:
        return None
    hosts = sorted({host for each in pod.containers for host in _hosts(each)})
    verb, what = "uses" if len(bad) == 1 else "use", "probe or lifecycle host"
    return Violation(what, f"{containers(bad)} {verb} {plural(what, len(hosts))} {quoted(hosts)}")


def _hosts(container: Container) -> list[str]:
    handlers = [at(container.document, *path) for path in _PROBES]
    hosts = [text(at(each, how, "host")) for each in handlers for how in ("httpGet", "tcpSocket")]
    return [host for host in hosts if host]


def host_process(pod: Pod) -> Violation | None:
    who = setters(_is_host_process(pod.context), pod.named(lambda each: _is_host_process(each.context)))
    told = f"{who} must not set securityContext.windowsOptions.hostProcess=true"
    return Violation("hostProcess", told) if who else None


def _is_host_process(context: Object) -> bool:
    return at(context, "windowsOptions", "hostProcess") is True
