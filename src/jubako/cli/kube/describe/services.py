"""A service, with the addresses that it leads to."""

from __future__ import annotations

from collections.abc import Sequence

from jubako.cli.kube.describe.events import write_events
from jubako.cli.kube.describe.sheet import Sheet, plain
from jubako.cluster.types.document import Object, array, at, integer, mapping, objects, strings, text

_SHOWN = 3


def service(sheet: Sheet, document: Object, events: Sequence[Object], slices: Sequence[Object]) -> None:
    spec = mapping(document.get("spec"))
    sheet.head(document)
    sheet.marks(document)
    chosen = strings(spec.get("selector"))
    sheet.line(0, "Selector:", ",".join(f"{key}={value}" for key, value in sorted(chosen.items())) or "<none>")
    sheet.line(0, "Type:", text(spec.get("type")))
    _addresses(sheet, document)
    for port in objects(spec.get("ports")):
        _port(sheet, port, slices)
    sheet.line(0, "Session Affinity:", text(spec.get("sessionAffinity")))
    for title, field in (
        ("External Traffic Policy:", "externalTrafficPolicy"),
        ("Internal Traffic Policy:", "internalTrafficPolicy"),
    ):
        if policy := text(spec.get(field)):
            sheet.line(0, title, policy)
    if health := integer(spec.get("healthCheckNodePort")):
        sheet.line(0, "HealthCheck NodePort:", str(health))
    if ranges := array(spec.get("loadBalancerSourceRanges")):
        sheet.line(0, "LoadBalancer Source Ranges:", ",".join(map(text, ranges)))
    write_events(sheet, events)


def _addresses(sheet: Sheet, document: Object) -> None:
    spec = mapping(document.get("spec"))
    if policy := text(spec.get("ipFamilyPolicy")):
        sheet.line(0, "IP Family Policy:", policy)
    if families := array(spec.get("ipFamilies")):
        sheet.line(0, "IP Families:", ",".join(map(text, families)))
    elif spec.get("type") != "ExternalName":
        sheet.line(0, "IP Families:", "<none>")
    sheet.line(0, "IP:", text(spec.get("clusterIP")))
    if addresses := array(spec.get("clusterIPs")):
        sheet.line(0, "IPs:", ",".join(map(text, addresses)))
    elif spec.get("type") != "ExternalName":
        sheet.line(0, "IPs:", "<none>")
    if outside := array(spec.get("externalIPs")):
        sheet.line(0, "External IPs:", ",".join(map(text, outside)))
    if balancer := text(spec.get("loadBalancerIP")):
        sheet.line(0, "Desired LoadBalancer IP:", balancer)
    if name := text(spec.get("externalName")):
        sheet.line(0, "External Name:", name)
    if ingress := objects(at(document, "status", "loadBalancer", "ingress")):
        found = ", ".join(text(each.get("ip")) or text(each.get("hostname")) for each in ingress)
        sheet.line(0, "LoadBalancer Ingress:", found)


def _port(sheet: Sheet, port: Object, slices: Sequence[Object]) -> None:
    name, protocol = text(port.get("name")), text(port.get("protocol"))
    sheet.line(0, "Port:", name or "<unset>", f"{plain(port.get('port'))}/{protocol}")
    target = port.get("targetPort")
    sheet.line(0, "TargetPort:", f"{plain(target, '0')}/{protocol}")
    if node := integer(port.get("nodePort")):
        sheet.line(0, "NodePort:", name or "<unset>", f"{node}/{protocol}")
    sheet.line(0, "Endpoints:", endpoints(slices, name))


def endpoints(slices: Sequence[Object], name: str) -> str:
    """Return the first ready addresses behind a port, and how many more there are."""
    if not slices:
        return "<none>"
    found = []
    for each in slices:
        for port in objects(each.get("ports")):
            if text(port.get("name")) == name:
                found += [f"{address}:{plain(port.get('port'))}" for address in _ready(each)]
    more = f" + {len(found) - _SHOWN} more..." if len(found) > _SHOWN else ""
    return ",".join(found[:_SHOWN]) + more


def _ready(each: Object) -> list[str]:
    ready = [one for one in objects(each.get("endpoints")) if at(one, "conditions", "ready") is not False]
    return [text(array(one.get("addresses"))[0]) for one in ready if array(one.get("addresses"))]
