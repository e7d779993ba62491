"""The rows of services and of the addresses behind them."""

from __future__ import annotations

from datetime import datetime

from jubako.cluster.types.columns.model import NONE, UNKNOWN, UNSET, Columns, created, labels, name
from jubako.cluster.types.document import JSON, Object, array, at, integer, mapping, objects, text

_MOST_SHOWN = 3


def _service(document: Object, now: datetime) -> list[JSON]:
    spec = mapping(document.get("spec"))
    address = text(spec.get("clusterIP")) or NONE
    ports = ",".join(_port(port) for port in objects(spec.get("ports"))) or NONE
    cells: list[JSON] = [name(document), text(spec.get("type")), address, _external(document), ports]
    return [*cells, created(document, now), labels(spec.get("selector"))]


def _port(port: Object) -> str:
    node = integer(port.get("nodePort"))
    number = f"{integer(port.get('port'))}:{node}" if node else str(integer(port.get("port")))
    return f"{number}/{text(port.get('protocol'))}"


def _external(document: Object) -> str:
    spec = mapping(document.get("spec"))
    given = [text(each) for each in array(spec.get("externalIPs"))]
    match spec.get("type"):
        case "ClusterIP" | "NodePort":
            return ",".join(given) or NONE
        case "LoadBalancer":
            ingress = objects(at(document, "status", "loadBalancer", "ingress"))
            found = sorted({text(each.get("ip")) or text(each.get("hostname")) for each in ingress} - {""})
            return ",".join([*found, *given]) or "<pending>"
        case "ExternalName":
            return text(spec.get("externalName"))
    return UNKNOWN


def _some(found: list[str], absent: str) -> str:
    """Return the first three of some values, and how many more there are."""
    if not found:
        return absent
    more = f" + {len(found) - _MOST_SHOWN} more..." if len(found) > _MOST_SHOWN else ""
    return ",".join(found[:_MOST_SHOWN]) + more


def _endpoints(document: Object, now: datetime) -> list[JSON]:
    found = [
        _joined(text(address.get("ip")), integer(port.get("port")))
        for subset in objects(document.get("subsets"))
        for port in objects(subset.get("ports")) or [{}]
        for address in objects(subset.get("addresses"))
    ]
    return [name(document), _some(found, NONE), created(document, now)]


def _joined(address: str, port: int) -> str:
    shown = f"[{address}]" if ":" in address else address
    return f"{shown}:{port}" if port else address


def _endpoint_slice(document: Object, now: datetime) -> list[JSON]:
    ports = [_number(port.get("port")) for port in objects(document.get("ports"))]
    addresses = [text(each) for found in objects(document.get("endpoints")) for each in array(found.get("addresses"))]
    kind = text(document.get("addressType"))
    return [name(document), kind, _some(ports, UNSET), _some(addresses, UNSET), created(document, now)]


def _number(port: JSON) -> str:
    return "*" if port is None else str(integer(port))


COLUMNS = {
    "core/v1.Endpoints": Columns(("Name", "Endpoints", "Age"), _endpoints),
    "core/v1.Service": Columns(("Name", "Type", "Cluster-IP", "External-IP", "Port(s)", "Age", "Selector+"), _service),
    "discovery/v1.EndpointSlice": Columns(("Name", "AddressType", "Ports", "Endpoints", "Age"), _endpoint_slice),
}
