"""Which objects a quota is about: all, or the pods of its scopes.

Spec: "Resource Quotas", Quota scopes; kubernetes/pkg/quota/v1/evaluator/core, podMatchesScopeFunc.
"""

from __future__ import annotations

from jubako.cluster.objects import Object, mapping, objects, text, words


def selects(quota: Object, what: str, document: Object) -> bool:
    """Whether an object of a resource counts; what is no pod is in no scope."""
    asked: list[Object] = [{"scopeName": each, "operator": "Exists"} for each in words(quota, "spec", "scopes")]
    asked += objects(quota, "spec", "scopeSelector", "matchExpressions")
    return not asked or (what == "pods" and all(_fits(document, each) for each in asked))


def _fits(pod: Object, asked: Object) -> bool:
    spec, is_best_effort = mapping(pod, "spec"), text(pod, "status", "qosClass") == "BestEffort"
    match text(asked, "scopeName"):
        case "Terminating":
            return spec.get("activeDeadlineSeconds") is not None
        case "NotTerminating":
            return spec.get("activeDeadlineSeconds") is None
        case "BestEffort":
            return is_best_effort
        case "NotBestEffort":
            return not is_best_effort
        case "PriorityClass":
            return _has_class(text(spec, "priorityClassName"), asked)
        case "CrossNamespacePodAffinity":
            return any(_looks_beyond(term) for term in _terms(spec))
    return False


def _has_class(name: str, asked: Object) -> bool:
    match text(asked, "operator"):
        case "In":
            return name in words(asked, "values")
        case "NotIn":
            return name not in words(asked, "values")
        case "DoesNotExist":
            return not name
    return bool(name)


def _terms(spec: Object) -> list[Object]:
    found: list[Object] = []
    for kind in ("podAffinity", "podAntiAffinity"):
        found += objects(spec, "affinity", kind, "requiredDuringSchedulingIgnoredDuringExecution")
        preferred = objects(spec, "affinity", kind, "preferredDuringSchedulingIgnoredDuringExecution")
        found += [mapping(each, "podAffinityTerm") for each in preferred]
    return found


def _looks_beyond(term: Object) -> bool:
    return bool(words(term, "namespaces")) or term.get("namespaceSelector") is not None
