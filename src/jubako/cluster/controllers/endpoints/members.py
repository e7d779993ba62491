"""Which pods a Service reaches, under which addresses and ports.

Spec: kubernetes/pkg/controller/endpoint, staging/src/k8s.io/endpointslice.
"""

from __future__ import annotations

from dataclasses import dataclass

from jubako.cluster.controllers.kinds import POD
from jubako.cluster.controllers.observed import Observed
from jubako.cluster.controllers.pods import is_finished, is_ready
from jubako.cluster.objects import (
    JSON,
    Object,
    at,
    flag,
    is_deleting,
    labels,
    name,
    namespace,
    objects,
    strings,
    text,
    uid,
    without_nones,
)


@dataclass(frozen=True)
class Member:
    """A pod behind a Service. `serving` is its readiness; `ready` also says that it is to get new connections."""

    pod: Object
    ready: bool
    serving: bool
    terminating: bool


def is_headless(service: Object) -> bool:
    return text(service, "spec", "clusterIP") == "None"


def selector(service: Object) -> dict[str, str]:
    """The labels that a Service selects; empty where somebody else keeps its endpoints."""
    if text(service, "spec", "type") == "ExternalName":
        return {}
    return strings(service, "spec", "selector")


def members(observed: Observed, service: Object) -> list[Member]:
    wanted = selector(service).items()
    if not wanted:
        return []
    always = flag(service, "spec", "publishNotReadyAddresses")
    found = []
    for pod in observed.all(POD, namespace(service)):
        if not wanted <= labels(pod).items() or is_finished(pod) or not text(pod, "status", "podIP"):
            continue
        serving, terminating = is_ready(pod), is_deleting(pod)
        found.append(Member(pod, always or (serving and not terminating), serving, terminating))
    return sorted(found, key=lambda each: name(each.pod))


def addresses(pod: Object, family: str) -> list[str]:
    """The addresses of a pod in a family (IPv4, IPv6)."""
    known = [text(each, "ip") for each in objects(pod, "status", "podIPs")] or [text(pod, "status", "podIP")]
    return [each for each in known if each and (":" in each) == (family == "IPv6")]


def families(service: Object) -> list[str]:
    known = at(service, "spec", "ipFamilies")
    return [each for each in known if isinstance(each, str)] if isinstance(known, list) and known else ["IPv4"]


def ports(service: Object, pod: Object) -> list[Object]:
    """The ports of a Service as numbers of a pod; one that the pod does not name is left out."""
    found = []
    for port in objects(service, "spec", "ports"):
        if (number := _target(port, pod)) is not None:
            entry = {
                "name": text(port, "name"),
                "port": number,
                "protocol": text(port, "protocol") or "TCP",
                "appProtocol": at(port, "appProtocol"),
            }
            found.append(without_nones(entry))
    return found


def _target(port: Object, pod: Object) -> JSON:
    target = at(port, "targetPort")
    if target is None or target == 0 or target == "":
        return at(port, "port")
    if isinstance(target, int):
        return target
    protocol = text(port, "protocol") or "TCP"
    sidecars = [each for each in objects(pod, "spec", "initContainers") if text(each, "restartPolicy") == "Always"]
    for container in [*objects(pod, "spec", "containers"), *sidecars]:
        for named in objects(container, "ports"):
            if text(named, "name") == target and (text(named, "protocol") or "TCP") == protocol:
                return at(named, "containerPort")
    return None


def target_ref(pod: Object) -> Object:
    return {"kind": POD.name, "namespace": namespace(pod), "name": name(pod), "uid": uid(pod)}


def hostname(service: Object, pod: Object) -> str | None:
    """The name under which a headless Service's pod is found in DNS."""
    named = text(pod, "spec", "hostname")
    return named if named and text(pod, "spec", "subdomain") == name(service) else None
