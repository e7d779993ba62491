"""LimitRanges: what containers get that say nothing, and what containers, pods and claims must keep to.

Model: `complete` gives a new pod's containers their defaults; `check` refuses, after validation, what a range forbids,
       all complaints of one range at once.
Spec:  "Limit Ranges"; kubernetes/plugin/pkg/admission/limitranger.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from jubako.cluster.apiserver import bounds, failures
from jubako.cluster.apiserver.caller import Request
from jubako.cluster.apiserver.objects import identity, reading, stored
from jubako.cluster.controllers.quota.usage import written
from jubako.cluster.controllers.scheduler.resources import totals
from jubako.cluster.store import AsyncStore
from jubako.cluster.types.document import Object, at, child, mapping, objects, strings
from jubako.cluster.types.resources import resource

_ANNOTATION = "kubernetes.io/limit-ranger"
_GROUPS = (("containers", "container"), ("initContainers", "init container"))


def complete(store: AsyncStore, pod: Object, namespace: str) -> bool:
    """Give a new pod's containers what ranges say, in place; tell whether anything was given."""
    given = False
    for each in _ranges(store, namespace):
        defaults = [item for item in _items(each) if item.get("type") == "Container"]
        told = [line for item in defaults for line in _give(child(pod, "spec"), item)]
        if told:
            given = True
            child(child(pod, "metadata"), "annotations")[_ANNOTATION] = "LimitRanger plugin set: " + "; ".join(told)
    return given


def check(store: AsyncStore, request: Request, document: Object) -> None:
    """Raises Failure (403) where a pod or a claim is outside of its ranges."""
    for each in _ranges(store, request.attributes.namespace):
        problems = list(dict.fromkeys(_problems(document, _items(each))))
        if problems:
            why = problems[0] if len(problems) == 1 else f"[{', '.join(problems)}]"
            raise failures.forbidden(request.attributes.resource, identity.name_of(document), why)


def _ranges(store: AsyncStore, namespace: str) -> list[Object]:
    found = resource("", "v1", "limitranges")
    assert found is not None
    selection = reading.Selection(resource=found, namespace=namespace)
    return [stored.decode(item) for item in reading.listing(store, selection).items]


def _items(limit_range: Object) -> list[Object]:
    return objects(at(limit_range, "spec", "limits"))


def _give(spec: Object, item: Object) -> Iterator[str]:
    for group, what in _GROUPS:
        for container in objects(spec.get(group)):
            resources = child(container, "resources")
            for field, default, word in (("requests", "defaultRequest", "request"), ("limits", "default", "limit")):
                absent = sorted(set(strings(item.get(default))) - set(mapping(resources.get(field))))
                if absent:
                    child(resources, field).update({name: mapping(item[default])[name] for name in absent})
                    yield f"{', '.join(absent)} {word} for {what} {container.get('name')}"


def _problems(document: Object, items: Iterable[Object]) -> Iterator[str]:
    is_claim = document["kind"] == "PersistentVolumeClaim"
    for item in items:
        match item.get("type"):
            case "PersistentVolumeClaim" if is_claim:
                yield from bounds.of_claim(item, strings(at(document, "spec", "resources", "requests")))
            case "Container" if not is_claim:
                for each in (each for group, _ in _GROUPS for each in objects(at(document, "spec", group))):
                    amounts = (strings(at(each, "resources", field)) for field in ("requests", "limits"))
                    yield from bounds.of_containers("Container", item, *amounts)
            case "Pod" if not is_claim:
                yield from bounds.of_containers("Pod", item, *_whole(document))


def _whole(pod: Object) -> tuple[dict[str, str], dict[str, str]]:
    """What all containers of a pod request and are limited to."""
    requests, limits = totals(pod, "requests"), totals(pod, "limits")
    return (
        {name: written(name, amount) for name, amount in requests.items()},
        {name: written(name, amount) for name, amount in limits.items()},
    )
