"""Endpoints that somebody writes for a Service without a selector, as EndpointSlices: those are what is served.

Spec: kubernetes/pkg/controller/endpointslicemirroring.
"""

from __future__ import annotations

from jubako.cluster.controllers.actions import Action, Create, Update, delete
from jubako.cluster.controllers.controller import Controller, itself
from jubako.cluster.controllers.endpoints.slices import (
    MANAGED_BY,
    SERVICE_NAME,
    Group,
    grouped,
    made,
    managed,
    of_slice,
    written,
)
from jubako.cluster.controllers.kinds import ENDPOINT_SLICE, ENDPOINTS, SERVICE, Key
from jubako.cluster.controllers.observed import Observed
from jubako.cluster.objects import (
    Object,
    annotated,
    at,
    is_deleting,
    labels,
    listed,
    name,
    namespace,
    objects,
    put,
    strings,
    text,
    without_nones,
)

SKIP = "endpointslice.kubernetes.io/skip-mirror"
MANAGER = "endpointslicemirroring-controller.k8s.io"
_LEADER = "control-plane.alpha.kubernetes.io/leader"
_MOST = 1000


def reconcile(observed: Observed, key: Key) -> list[Action]:
    endpoints = observed.get(ENDPOINTS, key)
    present = grouped(managed(observed, key, MANAGER))
    wanted = _wanted(endpoints) if endpoints and _is_mirrored(observed, endpoints) else {}
    actions: list[Action] = []
    for group in sorted(present.keys() | wanted.keys()):
        actions += _settle(endpoints, group, present.get(group, []), wanted.get(group, []))
    return actions


def _is_mirrored(observed: Observed, endpoints: Object) -> bool:
    service = observed.get(SERVICE, Key(namespace(endpoints), name(endpoints)))
    if service is None or is_deleting(service) or strings(service, "spec", "selector"):
        return False
    refused = labels(endpoints).get(SKIP) == "true" or _LEADER in annotated(endpoints)
    return not refused and not is_deleting(endpoints)


def _wanted(endpoints: Object) -> dict[Group, list[Object]]:
    found: dict[Group, list[Object]] = {}
    for subset in objects(endpoints, "subsets"):
        ports = written([{"name": "", "protocol": "TCP", **port} for port in objects(subset, "ports")])
        for field, ready in (("addresses", True), ("notReadyAddresses", False)):
            for address in objects(subset, field):
                family = "IPv6" if ":" in text(address, "ip") else "IPv4"
                found.setdefault((family, ports), []).append(_endpoint(address, ready))
    return found


def _endpoint(address: Object, ready: bool) -> Object:
    return without_nones(
        {
            "addresses": [text(address, "ip")],
            "conditions": {"ready": ready},
            "hostname": at(address, "hostname"),
            "nodeName": at(address, "nodeName"),
            "targetRef": at(address, "targetRef"),
        }
    )


def _settle(endpoints: Object | None, group: Group, present: list[Object], wanted: list[Object]) -> list[Action]:
    """One slice for each group; a group that is no more goes."""
    if endpoints is None or not wanted:
        return [delete(each) for each in present]
    wanted = wanted[:_MOST]
    if not present:
        marks = {**labels(endpoints), SERVICE_NAME: name(endpoints), MANAGED_BY: MANAGER}
        return [Create(made(endpoints, marks, group, wanted))]
    first, *spare = present
    renewed: list[Action] = (
        [] if objects(first, "endpoints") == wanted else [Update(put(first, listed(wanted), "endpoints"))]
    )
    return [*renewed, *(delete(each) for each in spare)]


CONTROLLER = Controller(
    "endpointslicemirroring", {SERVICE: itself, ENDPOINTS: itself, ENDPOINT_SLICE: of_slice}, reconcile
)
