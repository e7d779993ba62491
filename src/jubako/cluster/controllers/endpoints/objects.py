"""Endpoints: all of a Service's addresses in one object, the old form, at most a thousand of them."""

from __future__ import annotations

import json

from jubako.cluster.controllers.actions import Action, Create, Update, delete
from jubako.cluster.controllers.controller import Controller, itself
from jubako.cluster.controllers.endpoints.members import (
    Member,
    addresses,
    families,
    hostname,
    is_headless,
    members,
    ports,
    selector,
    target_ref,
)
from jubako.cluster.controllers.endpoints.slices import HEADLESS, of_pod
from jubako.cluster.controllers.kinds import ENDPOINTS, POD, SERVICE, Key
from jubako.cluster.controllers.observed import Observed
from jubako.cluster.objects import (
    JSON,
    Object,
    is_deleting,
    labels,
    listed,
    name,
    namespace,
    objects,
    put,
    text,
    without_nones,
)

MOST = 1000
MANAGED_BY = "endpoints.kubernetes.io/managed-by"
MANAGER = "endpoint-controller"


def reconcile(observed: Observed, key: Key) -> list[Action]:
    """An object of the Service's name, as the Service's pods have it; it goes with the Service."""
    service = observed.get(SERVICE, key)
    if service is None:
        return _leftover(observed, key)
    if is_deleting(service) or not selector(service):
        return []
    wanted = _made(service, _subsets(service, members(observed, service)))
    known = observed.get(ENDPOINTS, key)
    if known is None:
        return [Create(wanted)]
    held = {key: value for key, value in labels(known).items() if key not in (HEADLESS, MANAGED_BY)}
    merged = put(known, {**held, **labels(wanted)}, "metadata", "labels")
    subsets = objects(wanted, "subsets")
    merged = put(merged, listed(subsets), "subsets")
    same = objects(known, "subsets") == subsets and labels(known) == labels(merged)
    return [] if same else [Update(merged)]


def _subsets(service: Object, found: list[Member]) -> list[Object]:
    """Addresses by their set of ports, those that are ready and those that are not."""
    by_ports: dict[str, tuple[list[Object], list[Object]]] = {}
    for member in found[:MOST]:
        if member.terminating and not member.ready:
            continue
        held = [{key: value for key, value in port.items() if value != ""} for port in ports(service, member.pod)]
        if not held and not is_headless(service):
            continue
        written = json.dumps(held, sort_keys=True)
        for address in addresses(member.pod, families(service)[0])[:1]:
            ready, others = by_ports.setdefault(written, ([], []))
            (ready if member.ready else others).append(_address(service, member, address))
    subsets = []
    for written, (ready, others) in sorted(by_ports.items()):
        decoded: JSON = json.loads(written)
        entry: Object = {
            "addresses": listed(sorted(ready, key=_ip)) or None,
            "notReadyAddresses": listed(sorted(others, key=_ip)) or None,
            "ports": decoded or None,
        }
        subsets.append(without_nones(entry))
    return subsets


def _ip(address: Object) -> str:
    return text(address, "ip")


def _address(service: Object, member: Member, ip: str) -> Object:
    return without_nones(
        {
            "ip": ip,
            "hostname": hostname(service, member.pod),
            "nodeName": text(member.pod, "spec", "nodeName") or None,
            "targetRef": target_ref(member.pod),
        }
    )


def _made(service: Object, subsets: list[Object]) -> Object:
    own = {MANAGED_BY: MANAGER} | ({HEADLESS: ""} if is_headless(service) else {})
    metadata: Object = {
        "name": name(service),
        "namespace": namespace(service),
        "labels": {**labels(service), **own},
    }
    kind: Object = {"apiVersion": ENDPOINTS.api_version, "kind": ENDPOINTS.name}
    return {**kind, "metadata": metadata, "subsets": listed(subsets)}


def _leftover(observed: Observed, key: Key) -> list[Action]:
    known = observed.get(ENDPOINTS, key)
    if known is None or is_deleting(known) or labels(known).get(MANAGED_BY) != MANAGER:
        return []
    return [delete(known, exactly=True)]


CONTROLLER = Controller("endpoint", {SERVICE: itself, POD: of_pod, ENDPOINTS: itself}, reconcile)
