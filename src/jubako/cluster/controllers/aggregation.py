"""ClusterRoles with an aggregationRule: they have the rules of all roles that it selects.

Spec: "Using RBAC Authorization", Aggregated ClusterRoles; kubernetes/pkg/controller/clusterroleaggregation.
"""

from __future__ import annotations

from collections.abc import Iterable

from jubako.cluster.controllers.actions import Action, Update
from jubako.cluster.controllers.controller import Controller
from jubako.cluster.controllers.kinds import CLUSTER_ROLE, Key, key_of
from jubako.cluster.controllers.observed import Observed
from jubako.cluster.objects import Object, is_deleting, labels, listed, mapping, name, objects, put
from jubako.cluster.types.selection import matches


def aggregated(role: Object, roles: Iterable[Object]) -> list[Object]:
    """Return the rules of those that `role` selects, selector by selector, each sorted by name; no rule twice."""
    others = sorted((each for each in roles if name(each) != name(role)), key=name)
    rules: list[Object] = []
    for selector in objects(role, "aggregationRule", "clusterRoleSelectors"):
        for each in others:
            if matches(selector, labels(each)):
                rules += [rule for rule in objects(each, "rules") if rule not in rules]
    return rules


def _reconcile(observed: Observed, key: Key) -> list[Action]:
    role = observed.get(CLUSTER_ROLE, key)
    if role is None or is_deleting(role) or not mapping(role, "aggregationRule"):
        return []
    rules = aggregated(role, observed.all(CLUSTER_ROLE))
    return [] if objects(role, "rules") == rules else [Update(put(role, listed(rules), "rules"))]


def _all(observed: Observed, _: Object) -> list[Key]:
    return [key_of(each) for each in observed.all(CLUSTER_ROLE) if mapping(each, "aggregationRule")]


CONTROLLER = Controller("clusterrole-aggregation", {CLUSTER_ROLE: _all}, _reconcile)
