"""A service: does it select pods, are they ready, and is there somebody at its port."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from jubako.cluster.types.document import Object, at, objects, strings, text
from jubako.cluster.why.facts import Facts, is_ready, labels, name_of
from jubako.cluster.why.pods import pod_story
from jubako.cluster.why.story import Finding, bad, good, told, wait

_SERVICE_NAME = "kubernetes.io/service-name"


def service_story(service: Object, facts: Facts) -> Finding:
    return told(f"service/{name_of(service)}", [*_findings(service, facts)], "leads to pods that are ready")


def _findings(service: Object, facts: Facts) -> Iterator[Finding]:
    kind, selector = text(at(service, "spec", "type")), strings(at(service, "spec", "selector"))
    if kind == "ExternalName":
        yield good(f"it is another name of {text(at(service, 'spec', 'externalName'))}")
        return
    if not selector:
        yield _elsewhere(service, facts)
        return
    spelled = ",".join(f"{key}={value}" for key, value in sorted(selector.items()))
    chosen = [pod for pod in facts.pods if selector.items() <= labels(pod).items()]
    if not chosen:
        yield bad(f"no pod has the labels {spelled}", *_near(selector, facts))
        return
    ready = [pod for pod in chosen if is_ready(pod) and not at(pod, "metadata", "deletionTimestamp")]
    yield from _ports(service, chosen)
    if not ready:
        yield bad(f"none of the {len(chosen)} pods with {spelled} is ready", because=[pod_story(chosen[0], facts)])
        return
    yield good(f"{len(ready)} of {len(chosen)} pods with {spelled} are ready")
    if kind == "LoadBalancer" and not at(service, "status", "loadBalancer", "ingress"):
        yield wait("it has no address outside: nobody gives addresses to LoadBalancers here", "type: NodePort")


def _elsewhere(service: Object, facts: Facts) -> Finding:
    """Return what is to be said of a service whose addresses somebody else keeps."""
    mine = [each for each in facts.slices if labels(each).get(_SERVICE_NAME) == name_of(service)]
    found = [one for each in mine for one in objects(each.get("endpoints"))]
    if found:
        return good(f"it selects no pods; others keep its addresses ({len(found)})")
    return bad("it selects no pods, and nobody keeps addresses for it", "spec.selector, with the labels of its pods")


def _near(selector: dict[str, str], facts: Facts) -> list[str]:
    """Propose the labels of pods that have the same keys."""
    found = {key: {labels(pod)[key] for pod in facts.pods if key in labels(pod)} for key in selector}
    close = [
        f"pods have {key}={'|'.join(sorted(values))}"
        for key, values in found.items()
        if values and selector[key] not in values
    ]
    return [*close, f"jubako get pods --show-labels{facts.flags}"]


def _ports(service: Object, pods: Sequence[Object]) -> Iterator[Finding]:
    """A target port by name must be a container's; a number need not be declared."""
    named = {
        text(port.get("name"))
        for pod in pods
        for each in objects(at(pod, "spec", "containers"))
        for port in objects(each.get("ports"))
    }
    for port in objects(at(service, "spec", "ports")):
        target = port.get("targetPort")
        if isinstance(target, str) and target not in named:
            known = ", ".join(sorted(named - {""})) or "none"
            yield bad(
                f'no container has a port named "{target}" (they have {known})', "give the port's number in targetPort"
            )
