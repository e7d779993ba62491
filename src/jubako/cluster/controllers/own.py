"""The Services that a cluster itself offers, and where they are: the API server's, and the name server's.

Model:  nobody's pods stand behind them, so they have no selector, and their endpoints are written here. Who deletes one
        gets it again, as with Kubernetes.
Spec:   kubernetes/pkg/controlplane/controller/kubernetesservice; the add-on kube-dns.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from jubako.cluster.controllers.actions import Action, Create, Update
from jubako.cluster.controllers.controller import Controller
from jubako.cluster.controllers.endpoints.mirroring import SKIP
from jubako.cluster.controllers.endpoints.slices import SERVICE_NAME
from jubako.cluster.controllers.kinds import ENDPOINT_SLICE, ENDPOINTS, NAMESPACE, SERVICE, Key, Kind, key_of
from jubako.cluster.controllers.observed import Observed
from jubako.cluster.objects import JSON, Object, is_deleting, listed, put


@dataclass(frozen=True)
class OwnPort:
    """A port of a Service, and the port where its server listens."""

    name: str
    protocol: str
    number: int
    target: int


@dataclass(frozen=True)
class OwnService:
    """A Service with its address, and the address of the machine that serves."""

    key: Key
    labels: Mapping[str, str]
    address: str
    machine: str
    ports: Sequence[OwnPort]


def controller(services: Iterable[OwnService]) -> Controller:
    known = {each.key: each for each in services}

    def itself(_: Observed, document: Object) -> list[Key]:
        return [key for key in [key_of(document)] if key in known]

    def of_space(_: Observed, document: Object) -> list[Key]:
        return [key for key in known if key.namespace == key_of(document).name]

    def reconcile(observed: Observed, key: Key) -> list[Action]:
        space = observed.get(NAMESPACE, Key("", key.namespace))
        if space is None or is_deleting(space):
            return []
        wanted = (_service(known[key]), _endpoints(known[key]), _slice(known[key]))
        return [action for each in wanted for action in _settle(observed, each)]

    watches = {NAMESPACE: of_space, SERVICE: itself, ENDPOINTS: itself, ENDPOINT_SLICE: itself}
    return Controller("own-services", watches, reconcile)


def _settle(observed: Observed, wanted: Object) -> list[Action]:
    """Make an object, or give the one that is there what it shall say; what others have added stays."""
    kind = Kind(str(wanted["apiVersion"]), str(wanted["kind"]))
    known = observed.get(kind, key_of(wanted))
    if known is None:
        return [Create(wanted)]
    merged = known
    for field, value in wanted.items():
        if field == "spec":
            merged = put(merged, _ports_of(value), "spec", "ports")
        elif field not in ("metadata", "addressType"):
            merged = put(merged, value, field)
    return [] if is_deleting(known) or merged == known else [Update(merged)]


def _ports_of(spec: JSON) -> JSON:
    return spec["ports"] if isinstance(spec, dict) else None


def _named(kind: Kind, of: OwnService, labels: Mapping[str, str]) -> Object:
    metadata: Object = {"name": of.key.name, "namespace": of.key.namespace, "labels": {**labels}}
    return {"apiVersion": kind.api_version, "kind": kind.name, "metadata": metadata}


def _service(of: OwnService) -> Object:
    ports: list[Object] = [
        {"name": each.name, "protocol": each.protocol, "port": each.number, "targetPort": each.target}
        for each in of.ports
    ]
    spec: Object = {"clusterIP": of.address, "type": "ClusterIP", "ports": listed(ports)}
    return {**_named(SERVICE, of, of.labels), "spec": spec}


def _targets(of: OwnService) -> list[Object]:
    return [{"name": each.name, "port": each.target, "protocol": each.protocol} for each in of.ports]


def _endpoints(of: OwnService) -> Object:
    subset: Object = {"addresses": [{"ip": of.machine}], "ports": listed(_targets(of))}
    return {**_named(ENDPOINTS, of, {**of.labels, SKIP: "true"}), "subsets": [subset]}


def _slice(of: OwnService) -> Object:
    endpoint: Object = {"addresses": [of.machine], "conditions": {"ready": True}}
    parts: Object = {"addressType": "IPv4", "endpoints": [endpoint], "ports": listed(_targets(of))}
    return {**_named(ENDPOINT_SLICE, of, {SERVICE_NAME: of.key.name}), **parts}


def api_server(address: str, machine: str, port: int) -> OwnService:
    labels = {"component": "apiserver", "provider": "kubernetes"}
    return OwnService(Key("default", "kubernetes"), labels, address, machine, (OwnPort("https", "TCP", 443, port),))


def name_server(address: str, machine: str, port: int) -> OwnService:
    labels = {
        "k8s-app": "kube-dns",
        "kubernetes.io/cluster-service": "true",
        "kubernetes.io/name": "CoreDNS",
    }
    ports = (OwnPort("dns", "UDP", 53, port), OwnPort("dns-tcp", "TCP", 53, port))
    return OwnService(Key("kube-system", "kube-dns"), labels, address, machine, ports)


def place_of(services: Sequence[OwnService]) -> tuple[str, set[int]]:
    """The machine that serves, and the ports where it does."""
    return services[0].machine, {port.target for each in services for port in each.ports}
