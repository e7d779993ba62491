"""A pod's RuntimeClass: what it costs besides its containers, and where it may go.

Spec: "Runtime Class"; "Pod Overhead"; "Admission Control in Kubernetes", RuntimeClass.
"""

from __future__ import annotations

from jubako.cluster.apiserver import failures
from jubako.cluster.apiserver.caller import Request
from jubako.cluster.apiserver.objects import stored
from jubako.cluster.store import AsyncStore
from jubako.cluster.types.document import Object, array, at, child, mapping, objects, text
from jubako.cluster.types.resources import resource
from jubako.errors import NotFound


def complete(store: AsyncStore, request: Request, pod: Object) -> None:
    """Give a new pod what its class says, in place. Raises Failure (403)."""
    spec = child(pod, "spec")
    found = _class(store, request, pod, text(spec.get("runtimeClassName")))
    _give_overhead(request, pod, spec, mapping(at(found, "overhead", "podFixed")))
    scheduling = mapping(found.get("scheduling"))
    _select(request, pod, spec, mapping(scheduling.get("nodeSelector")))
    known = objects(spec.get("tolerations"))
    if more := [each for each in objects(scheduling.get("tolerations")) if each not in known]:
        spec["tolerations"] = [*array(spec.get("tolerations")), *more]


def _class(store: AsyncStore, request: Request, pod: Object, name: str) -> Object:
    if not name:
        return {}
    classes = resource("node.k8s.io", "v1", "runtimeclasses")
    assert classes is not None
    try:
        return stored.decode(store.get(stored.key(classes, "", name)))
    except NotFound:
        raise _rejected(request, pod, f'RuntimeClass "{name}" not found') from None


def _give_overhead(request: Request, pod: Object, spec: Object, fixed: Object) -> None:
    own = mapping(spec.get("overhead"))
    if own and not fixed:
        raise _rejected(request, pod, "Pod Overhead set without corresponding RuntimeClass defined Overhead")
    if own and own != fixed:
        raise _rejected(request, pod, "Pod's Overhead doesn't match RuntimeClass's defined Overhead")
    if fixed:
        spec["overhead"] = fixed


def _select(request: Request, pod: Object, spec: Object, selector: Object) -> None:
    own = mapping(spec.get("nodeSelector"))
    for key, value in selector.items():
        if own.get(key, value) != value:
            theirs = f"runtimeClass.scheduling.nodeSelector[{key}] = {value}"
            why = f"conflict: {theirs}; pod.spec.nodeSelector[{key}] = {own[key]}"
            raise _rejected(request, pod, why)
    if selector:
        spec["nodeSelector"] = {**own, **selector}


def _rejected(request: Request, pod: Object, why: str) -> failures.Failure:
    name = text(mapping(pod["metadata"]).get("name"))
    return failures.forbidden(request.attributes.resource, name, f"pod rejected: {why}")
