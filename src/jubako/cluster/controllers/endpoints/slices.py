"""EndpointSlices: a Service's endpoints in portions of at most a hundred, for each address family and set of ports.

Invariant: what is in a slice stays in it, so that a change of one endpoint is a change of one slice.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping

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
from jubako.cluster.controllers.kinds import ENDPOINT_SLICE, NODE, POD, SERVICE, Key, key_of
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
    owner_reference,
    put,
    text,
    without_nones,
)

SERVICE_NAME = "kubernetes.io/service-name"
MANAGED_BY = "endpointslice.kubernetes.io/managed-by"
MANAGER = "endpointslice-controller.k8s.io"
HEADLESS = "service.kubernetes.io/headless"
MOST = 100
NO_PORTS = "[]"
Group = tuple[str, str]
"""An address family, and ports as they are written."""


def reconcile(observed: Observed, key: Key) -> list[Action]:
    service = observed.get(SERVICE, key)
    if service is None or is_deleting(service) or not selector(service):
        return []
    wanted = _wanted(observed, service)
    present = grouped(_slices(observed, service))
    actions: list[Action] = []
    for group in sorted(present.keys() | wanted.keys()):
        actions += _settle(service, group, present.get(group, []), wanted.get(group))
    return actions


def _slices(observed: Observed, service: Object) -> list[Object]:
    """The slices of a Service that are ours, the fullest first."""
    ours = managed(observed, key_of(service), MANAGER)
    return sorted(ours, key=lambda each: (-len(_endpoints(each)), name(each)))


def managed(observed: Observed, service: Key, manager: str) -> list[Object]:
    """The slices of a Service that are a manager's, and stay."""
    marks = {SERVICE_NAME: service.name, MANAGED_BY: manager}.items()
    found = observed.all(ENDPOINT_SLICE, service.namespace)
    return [each for each in found if marks <= labels(each).items() and not is_deleting(each)]


def grouped(slices: Iterable[Object]) -> dict[Group, list[Object]]:
    found: dict[Group, list[Object]] = {}
    for each in slices:
        found.setdefault((text(each, "addressType"), written(objects(each, "ports"))), []).append(each)
    return found


def _endpoints(slice_: Object) -> list[Object]:
    return objects(slice_, "endpoints")


def _wanted(observed: Observed, service: Object) -> dict[Group, dict[str, Object]]:
    """The endpoints of each group by the uid of their pod. A Service without any has an empty slice in each family."""
    found: dict[Group, dict[str, Object]] = {}
    for member in members(observed, service):
        for family in families(service):
            for address in addresses(member.pod, family)[:1]:
                group = (family, written(ports(service, member.pod)))
                endpoint = _endpoint(observed, service, member, address)
                found.setdefault(group, {})[text(endpoint, "targetRef", "uid")] = endpoint
    for family in families(service):
        if not any(group[0] == family for group in found):
            found[family, NO_PORTS] = {}
    return found


def _endpoint(observed: Observed, service: Object, member: Member, address: str) -> Object:
    node = text(member.pod, "spec", "nodeName")
    known = observed.get(NODE, Key("", node)) or {}
    return without_nones(
        {
            "addresses": [address],
            "conditions": {"ready": member.ready, "serving": member.serving, "terminating": member.terminating},
            "hostname": hostname(service, member.pod),
            "nodeName": node or None,
            "zone": labels(known).get("topology.kubernetes.io/zone"),
            "targetRef": target_ref(member.pod),
        }
    )


def written(group: list[Object]) -> str:
    return json.dumps(sorted((dict(each) for each in group), key=json.dumps), sort_keys=True)


def _settle(service: Object, group: Group, present: list[Object], wanted: dict[str, Object] | None) -> list[Action]:
    """Keep each endpoint in its slice, put new ones where there is room, and make slices for the rest."""
    left = dict(wanted or {})
    filled: list[tuple[Object, list[Object]]] = []
    for slice_ in present:
        uids = [text(each, "targetRef", "uid") for each in _endpoints(slice_)]
        filled.append((slice_, [left.pop(uid_) for uid_ in dict.fromkeys(uids) if uid_ in left]))
    rest = list(left.values())
    for _, kept in filled:
        room = MOST - len(kept)
        kept += rest[:room]
        rest = rest[room:]
    used = [(slice_, kept) for slice_, kept in filled if kept]
    is_placeholder = wanted is not None and not wanted
    if is_placeholder and not used:
        used = filled[:1]
    spare = [slice_ for slice_, _ in filled if all(slice_ is not each for each, _ in used)]
    actions = [action for slice_, kept in used for action in _renew(service, slice_, kept)]
    portions = [rest[first : first + MOST] for first in range(0, len(rest), MOST)]
    if is_placeholder and not used:
        portions = [[]]
    new = [Create(made(service, _labels(service), group, portion)) for portion in portions]
    return [*actions, *new, *(delete(each) for each in spare)]


def _renew(service: Object, slice_: Object, endpoints: list[Object]) -> list[Action]:
    wanted = put(put(slice_, listed(endpoints), "endpoints"), {**_labels(service)}, "metadata", "labels")
    return [] if wanted == {**slice_, "endpoints": listed(_endpoints(slice_))} else [Update(wanted)]


def _labels(service: Object) -> dict[str, str]:
    own = {SERVICE_NAME: name(service), MANAGED_BY: MANAGER}
    if is_headless(service):
        own[HEADLESS] = ""
    foreign = {key: value for key, value in labels(service).items() if key not in (SERVICE_NAME, MANAGED_BY, HEADLESS)}
    return foreign | own


def made(owner: Object, marks: Mapping[str, str], group: Group, endpoints: list[Object]) -> Object:
    """A new slice of the Service of that name, with these labels."""
    metadata: Object = {
        "generateName": f"{name(owner)}-",
        "namespace": namespace(owner),
        "labels": {**marks},
        "ownerReferences": [owner_reference(owner)],
    }
    written: JSON = json.loads(group[1])
    return {
        "apiVersion": ENDPOINT_SLICE.api_version,
        "kind": ENDPOINT_SLICE.name,
        "metadata": metadata,
        "addressType": group[0],
        "ports": written,
        "endpoints": listed(endpoints),
    }


def of_slice(_: Observed, slice_: Object) -> Iterable[Key]:
    service = labels(slice_).get(SERVICE_NAME)
    return [Key(namespace(slice_), service)] if service else []


def of_pod(observed: Observed, pod: Object) -> list[Key]:
    """The Services that select a pod."""
    held = labels(pod).items()
    services = observed.all(SERVICE, namespace(pod))
    return [key_of(each) for each in services if (wanted := selector(each)) and wanted.items() <= held]


CONTROLLER = Controller("endpoint-slice", {SERVICE: itself, POD: of_pod, ENDPOINT_SLICE: of_slice}, reconcile)
