"""Where a pod may go by labels: nodeSelector, node affinity, and the affinity of pods to pods.

Spec: core/v1 NodeAffinity, PodAffinity; requirements that are preferred only are not weighed, as there is one node.
"""

from __future__ import annotations

from collections.abc import Mapping

from jubako.cluster.objects import Object, at, labels, mapping, name, namespace, objects, strings, text, whole, words
from jubako.cluster.types.selection import matches

_REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"


def fits_node(pod: Object, node: Object) -> bool:
    """Whether a node has the labels (and the name) that a pod requires."""
    if not strings(pod, "spec", "nodeSelector").items() <= labels(node).items():
        return False
    required = at(pod, "spec", "affinity", "nodeAffinity", _REQUIRED)
    return required is None or selects_node(mapping(required), node)


def selects_node(selector: Object, node: Object) -> bool:
    """Whether one of a node selector's terms holds; a term without requirements never does."""
    return any(_term_holds(term, node) for term in objects(selector, "nodeSelectorTerms"))


def _term_holds(term: Object, node: Object) -> bool:
    expressions, fields = objects(term, "matchExpressions"), objects(term, "matchFields")
    if not expressions and not fields:
        return False
    by_label = all(_meets(each, labels(node)) for each in expressions)
    return by_label and all(_meets(each, {"metadata.name": name(node)}) for each in fields)


def _meets(requirement: Object, of: Mapping[str, str]) -> bool:
    operator = text(requirement, "operator")
    if operator not in ("Gt", "Lt"):
        # A node without the label is "not in" any values, as for pods.
        return matches({"matchExpressions": [requirement]}, of)
    value, bounds = whole(of.get(text(requirement, "key"), "")), words(requirement, "values")
    bound = whole(bounds[0]) if len(bounds) == 1 else None
    if value is None or bound is None:
        return False
    return value > bound if operator == "Gt" else value < bound


def affinity_terms(pod: Object) -> list[Object]:
    return objects(pod, "spec", "affinity", "podAffinity", _REQUIRED)


def anti_affinity_terms(pod: Object) -> list[Object]:
    return objects(pod, "spec", "affinity", "podAntiAffinity", _REQUIRED)


def term_selects(term: Object, owner: Object, other: Object, namespaces: Mapping[str, Object]) -> bool:
    """Whether a term of `owner`'s affinity means the pod `other`."""
    if not _in_namespaces(term, owner, other, namespaces):
        return False
    selector = at(term, "labelSelector")
    return selector is not None and matches(mapping(selector), labels(other))


def _in_namespaces(term: Object, owner: Object, other: Object, namespaces: Mapping[str, Object]) -> bool:
    named, selector = words(term, "namespaces"), at(term, "namespaceSelector")
    if not named and selector is None:
        return namespace(owner) == namespace(other)
    if namespace(other) in named:
        return True
    return selector is not None and matches(mapping(selector), labels(namespaces.get(namespace(other), {})))


def same_domain(term: Object, one: Object, other: Object) -> bool:
    """Whether two nodes are in one topology domain of a term."""
    key = text(term, "topologyKey")
    return key in labels(one) and labels(one)[key] == labels(other).get(key)
