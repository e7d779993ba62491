"""How important a pod is: by its PriorityClass, or the class that is every pod's default, or not at all.

Spec: "Pod Priority and Preemption"; "Admission Control in Kubernetes", Priority.
"""

from __future__ import annotations

from jubako.cluster.apiserver import failures
from jubako.cluster.apiserver.caller import Request
from jubako.cluster.apiserver.objects import reading, stored
from jubako.cluster.store import AsyncStore
from jubako.cluster.types.document import Object, child, integer, mapping, text
from jubako.cluster.types.resources import resource

_FIELDS = ("priority", "preemptionPolicy")
_PREEMPTS = "PreemptLowerPriority"


def keep(pod: Object, old: Object) -> None:
    """An update that leaves out what was found at first keeps it."""
    spec, before = child(pod, "spec"), mapping(old.get("spec"))
    for name in _FIELDS:
        if name in before:
            spec.setdefault(name, before[name])


def complete(store: AsyncStore, request: Request, pod: Object) -> None:
    """Give a new pod its priority, in place. Raises Failure (403)."""
    spec = child(pod, "spec")
    found = _class(store, request, pod, text(spec.get("priorityClassName")))
    if found:
        spec["priorityClassName"] = mapping(found["metadata"])["name"]
    computed: Object = {
        "priority": integer(found.get("value")),
        "preemptionPolicy": text(found.get("preemptionPolicy")) or _PREEMPTS,
    }
    for name, value in computed.items():
        if spec.get(name, value) != value:
            raise _refused(request, pod, _contradiction(name, spec[name], value))
    spec.update(computed)


def _class(store: AsyncStore, request: Request, pod: Object, wanted: str) -> Object:
    classes = resource("scheduling.k8s.io", "v1", "priorityclasses")
    assert classes is not None
    documents = [stored.decode(item) for item in reading.listing(store, reading.Selection(resource=classes)).items]
    if not wanted:
        # Of several the least, as Kubernetes has it.
        return min((each for each in documents if each.get("globalDefault")), key=_value, default={})
    for each in documents:
        if mapping(each["metadata"]).get("name") == wanted:
            return each
    raise _refused(request, pod, f"no PriorityClass with name {wanted} was found")


def _value(of: Object) -> int:
    return integer(of.get("value"))


def _contradiction(name: str, given: object, computed: object) -> str:
    what = "integer value of priority" if name == "priority" else "string value of PreemptionPolicy"
    return (
        f"the {what} ({given}) must not be provided in pod spec; priority admission controller computed {computed} "
        "from the given PriorityClass name"
    )


def _refused(request: Request, pod: Object, why: str) -> failures.Failure:
    return failures.forbidden(request.attributes.resource, text(mapping(pod["metadata"]).get("name")), why)
