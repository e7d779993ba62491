"""PodSecurity: refuses pods that their namespace does not allow, warns of what makes such pods, and notes it.

Model:        enforce concerns pods alone; warn and audit the objects that hold a template too. What changes nothing
              that counts is not looked at, so that pods of a namespace that became stricter can go on and end.
Spec:         "Pod Security Admission".
"""

from __future__ import annotations

from jubako.cluster.apiserver import failures
from jubako.cluster.apiserver.caller import Request
from jubako.cluster.apiserver.objects import reading, stored
from jubako.cluster.apiserver.podsecurity.levels import LEVELS, PREFIX, Policy, Standard, policy_of
from jubako.cluster.apiserver.podsecurity.pod import Violation, pod_of
from jubako.cluster.apiserver.podsecurity.standards import violations
from jubako.cluster.store import AsyncStore
from jubako.cluster.types.document import Object, at, mapping, objects, text
from jubako.cluster.types.resources import core
from jubako.cluster.types.validation import FieldError, invalid_status
from jubako.errors import NotFound

_TEMPLATES = {
    "PodTemplate": ("template",),
    "CronJob": ("spec", "jobTemplate", "spec", "template"),
    **dict.fromkeys(
        ("DaemonSet", "Deployment", "Job", "ReplicaSet", "ReplicationController", "StatefulSet"), ("spec", "template")
    ),
}
_CHECKED = ("", "ephemeralcontainers", "resize")
"""Of a pod; what other subresources write does not count."""
_MOST_PODS = 1000
"""Of a namespace that becomes stricter: no other request is served while they are looked at."""


class PodSecurity:
    def __init__(self, store: AsyncStore) -> None:
        self._store = store

    def check(self, request: Request, document: Object, old: Object | None) -> None:
        """Judge what is about to be written. Raises Failure (403, 422)."""
        asked = request.attributes
        kind, below = asked.resource.kind.name, asked.subresource.name if asked.subresource else ""
        if kind == "Namespace" and not below:
            self._check_namespace(request, document, old)
        elif kind == "Pod" and below in _CHECKED and (old is None or _is_changed(document, old)):
            _judge(request, document, self._namespace(request), enforced=True)
        elif kind in _TEMPLATES and not below:
            template = mapping(at(document, *_TEMPLATES[kind]))
            if template:
                _judge(request, template, self._namespace(request), enforced=False)

    def _namespace(self, request: Request) -> Object:
        """Return the namespace that is asked in; one that has just gone has no policy."""
        try:
            return stored.decode(self._store.get(stored.key(core("namespaces"), "", request.attributes.namespace)))
        except NotFound:
            return {}

    def _check_namespace(self, request: Request, document: Object, old: Object | None) -> None:
        policy, wrong = _of(document)
        before, wrong_before = _of(old or {})
        name = text(at(document, "metadata", "name"))
        if wrong and wrong != wrong_before:
            raise failures.Failure(invalid_status(request.attributes.resource.kind, name, wrong))
        if old is not None and _is_stricter(policy.enforce, before.enforce):
            request.notes.warn(*self._told_of_pods(name, policy.enforce))

    def _told_of_pods(self, namespace: str, standard: Standard) -> list[str]:
        """Return what to warn of when a namespace that has pods already becomes stricter."""
        pods = reading.Selection(resource=core("pods"), namespace=namespace)
        found = reading.listing(self._store, pods).items
        by_reason: dict[str, list[str]] = {}
        for item in found[:_MOST_PODS]:
            document = stored.decode(item)
            if bad := violations(standard, pod_of(document)):
                reason = ", ".join(each.reason for each in bad)
                by_reason.setdefault(reason, []).append(text(at(document, "metadata", "name")))
        return [*_left_out(len(found)), *_summary(namespace, standard, by_reason)]


def _left_out(count: int) -> list[str]:
    if count <= _MOST_PODS:
        return []
    return [f"new PodSecurity enforce level only checked against the first {_MOST_PODS} of {count} existing pods"]


def _summary(namespace: str, standard: Standard, by_reason: dict[str, list[str]]) -> list[str]:
    if not by_reason:
        return []
    first = f'existing pods in namespace "{namespace}" violate the new PodSecurity enforce level "{standard}"'
    return [first, *sorted(f"{_several(names)}: {reason}" for reason, names in by_reason.items())]


def _several(names: list[str]) -> str:
    others = len(names) - 1
    more = f" (and {others} other {'pod' if others == 1 else 'pods'})" if others else ""
    return f"{min(names)}{more}"


def _judge(request: Request, pod: Object, namespace: Object, *, enforced: bool) -> None:
    """Refuse, warn and note by the policy of the namespace. Raises Failure (403)."""
    policy, wrong = _of(namespace)
    if policy == Policy() and not wrong:
        return
    seen, asked, notes = pod_of(pod), request.attributes, request.notes
    if wrong:
        notes.annotations[f"{PREFIX}error"] = f"Failed to parse policy: {'; '.join(map(str, wrong))}"
    if bad := violations(policy.audit, seen):
        notes.annotations[f"{PREFIX}audit-violations"] = f"would {_told(policy.audit, bad)}"
    if enforced:
        notes.annotations[f"{PREFIX}enforce-policy"] = str(policy.enforce)
        if bad := violations(policy.enforce, seen):
            name = asked.name or text(at(pod, "metadata", "name"))
            raise failures.forbidden(asked.resource, name, _told(policy.enforce, bad, "violates"))
    if bad := violations(policy.warn, seen):
        notes.warn(f"would {_told(policy.warn, bad)}")


def _told(standard: Standard, bad: list[Violation], verb: str = "violate") -> str:
    return f'{verb} PodSecurity "{standard}": {", ".join(map(str, bad))}'


def _of(namespace: Object) -> tuple[Policy, list[FieldError]]:
    return policy_of(mapping(namespace.get("metadata")))


def _is_stricter(new: Standard, old: Standard) -> bool:
    """Whether pods that were allowed may not be so any more."""
    if new == old or new.level == "privileged":
        return False
    return new.minor != old.minor or LEVELS.index(new.level) > LEVELS.index(old.level)


def _is_changed(pod: Object, old: Object) -> bool:
    """Whether what counts of a pod has changed: its images, its containers, the old annotations of seccomp."""
    return _counting(pod) != _counting(old)


def _counting(pod: Object) -> tuple[object, ...]:
    groups = ("initContainers", "containers", "ephemeralContainers")
    images = [[(each.get("name"), each.get("image")) for each in objects(at(pod, "spec", group))] for group in groups]
    annotations = mapping(at(pod, "metadata", "annotations"))
    return images, {key: value for key, value in annotations.items() if "seccomp.security.alpha" in key}
