"""Services of the type LoadBalancer have this machine's address: it is all that there is to balance from.

Model:  two Services can not have one port of one address; the second waits until the first lets go. What the cluster
        listens on is nobody's. One with a class of its own is left to who serves that.
Spec:   "Service", type LoadBalancer; kubernetes/staging/src/k8s.io/cloud-provider/controllers/service.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from jubako.cluster.controllers.actions import Action, EmitEvent, UpdateStatus
from jubako.cluster.controllers.controller import Controller
from jubako.cluster.controllers.kinds import SERVICE, Key, key_of
from jubako.cluster.controllers.observed import Observed
from jubako.cluster.objects import JSON, Object, created, is_deleting, name, number, objects, put, text

_NOBODY: Object = {}


def controller(machine: str, taken: Collection[int]) -> Controller:
    """`taken` are ports of the machine that the cluster itself listens on."""

    def reconcile(observed: Observed, key: Key) -> list[Action]:
        service = observed.get(SERVICE, key)
        if service is None or is_deleting(service) or text(service, "spec", "loadBalancerClass"):
            return []
        held = objects(service, "status", "loadBalancer", "ingress")
        if text(service, "spec", "type") != "LoadBalancer":
            return [_tell(service, _NOBODY)] if held else []
        if [text(each, "ip") for each in held] == [machine] or not _is_free(observed, service, taken):
            return []
        event = EmitEvent(service, "EnsuredLoadBalancer", "Ensured load balancer")
        return [_tell(service, {"ingress": [{"ip": machine, "ipMode": "VIP"}]}), event]

    return Controller("service", {SERVICE: _all_that_wait}, reconcile)


def _all_that_wait(observed: Observed, document: Object) -> Iterable[Key]:
    """Any change of one may be what others wait for."""
    others = (each for each in observed.all(SERVICE) if text(each, "spec", "type") == "LoadBalancer")
    return dict.fromkeys([key_of(document), *map(key_of, others)])


def _is_free(observed: Observed, service: Object, taken: Collection[int]) -> bool:
    """Whether nobody has one of its ports, or came before it for one."""
    wanted = _ports(service)
    if any(port in taken for _, port in wanted):
        return False
    others = (each for each in observed.all(SERVICE) if text(each, "spec", "type") == "LoadBalancer")
    return not any(_is_before(other, service) and wanted & _ports(other) for other in others)


def _is_before(other: Object, service: Object) -> bool:
    if key_of(other) == key_of(service):
        return False
    return bool(objects(other, "status", "loadBalancer", "ingress")) or _age(other) < _age(service)


def _age(service: Object) -> tuple[float, str]:
    return created(service), name(service)


def _ports(service: Object) -> set[tuple[str, int]]:
    return {(text(port, "protocol") or "TCP", number(port, "port")) for port in objects(service, "spec", "ports")}


def _tell(service: Object, balancer: JSON) -> Action:
    return UpdateStatus(put(service, balancer, "status", "loadBalancer"))
