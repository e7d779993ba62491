"""Defaults of services that depend on other fields."""

from __future__ import annotations

from jubako.cluster.types.document import Object, child, mapping, objects

DEFAULT_AFFINITY_S = 10800


def service(of: Object) -> None:
    spec = child(of, "spec")
    spec["sessionAffinity"] = spec.get("sessionAffinity") or "None"
    spec["type"] = spec.get("type") or "ClusterIP"
    _affinity(spec)
    if spec["type"] in ("NodePort", "LoadBalancer") or (spec["type"] == "ClusterIP" and spec.get("externalIPs")):
        spec["externalTrafficPolicy"] = spec.get("externalTrafficPolicy") or "Cluster"
    if spec["type"] != "ExternalName" and spec.get("internalTrafficPolicy") is None:
        spec["internalTrafficPolicy"] = "Cluster"
    if spec["type"] == "LoadBalancer":
        spec.setdefault("allocateLoadBalancerNodePorts", True)
        _ingress_mode(of)


def _affinity(spec: Object) -> None:
    if spec["sessionAffinity"] == "None":
        spec.pop("sessionAffinityConfig", None)
    elif spec["sessionAffinity"] == "ClientIP":
        client = mapping(mapping(spec.get("sessionAffinityConfig")).get("clientIP"))
        if client.get("timeoutSeconds") is None:
            spec["sessionAffinityConfig"] = {"clientIP": {"timeoutSeconds": DEFAULT_AFFINITY_S}}


def _ingress_mode(of: Object) -> None:
    balancer = mapping(mapping(of.get("status")).get("loadBalancer"))
    for ingress in objects(balancer.get("ingress")):
        if ingress.get("ip"):
            ingress.setdefault("ipMode", "VIP")


def port(of: Object) -> None:
    """A port leads to the same port of the pods unless it says another."""
    if of.get("targetPort") in (None, 0, ""):
        of["targetPort"] = of.get("port")
