"""Nobody gives what is not his: a role, or a binding to one, is only written by who has all that it allows.

Spec: "Using RBAC Authorization", Privilege escalation prevention and bootstrapping.
"""

from __future__ import annotations

from jubako.cluster.apiserver import failures
from jubako.cluster.apiserver.access.authorization import GROUP, Authorization
from jubako.cluster.apiserver.access.rules import ALL, Rule, Wish, rules_of, uncovered
from jubako.cluster.apiserver.caller import MASTERS, Request
from jubako.cluster.types.document import Object, mapping, text

_ALL = frozenset((ALL,))
_EVERYTHING = (Rule(verbs=_ALL, groups=_ALL, resources=_ALL), Rule(verbs=_ALL, paths=_ALL))


class Grants:
    def __init__(self, authorization: Authorization) -> None:
        self._authorization = authorization

    def check(self, request: Request, document: Object) -> None:
        """Raises Failure (403) for a role or binding that would give more than its writer has."""
        kind = request.attributes.resource.kind
        if kind.group != GROUP:
            return
        if kind.name in ("Role", "ClusterRole"):
            self._check_aggregation(request, document)
            self._check(request, document, rules_of(document), "escalate", request.attributes.resource.plural)
        else:
            reference = mapping(document.get("roleRef"))
            plural = "clusterroles" if reference.get("kind") == "ClusterRole" else "roles"
            given = self._authorization.role(document, request.attributes.namespace)
            self._check(request, document, given, "bind", plural, text(reference.get("name")))

    def _check_aggregation(self, request: Request, document: Object) -> None:
        """Whoever labels a role decides what an aggregating one gives: only who may do all lets others decide."""
        user = request.user
        if document.get("aggregationRule") is None or MASTERS in user.groups:
            return
        if uncovered(_EVERYTHING, self._authorization.rules(user, "")):
            name = text(mapping(document["metadata"]).get("name"))
            why = "must have cluster-admin privileges to use the aggregationRule"
            raise failures.forbidden(request.attributes.resource, name, why)

    def _check(
        self, request: Request, document: Object, given: list[Rule], verb: str, plural: str, name: str = ""
    ) -> None:
        user, namespace = request.user, request.attributes.namespace
        name = name or text(mapping(document["metadata"]).get("name"))
        if self._authorization.allows(user, Wish(verb=verb, group=GROUP, resource=plural, name=name), namespace):
            return
        if missing := uncovered(given, self._authorization.rules(user, namespace)):
            why = f'user "{user.name}" (groups={sorted(user.groups)}) is attempting to grant RBAC permissions not'
            listed = ", ".join(sorted(_shown(rule) for rule in missing))
            raise failures.forbidden(request.attributes.resource, name, f"{why} currently held: {listed}")


def _shown(rule: Rule) -> str:
    parts = {
        "APIGroups": rule.groups, "Resources": rule.resources, "ResourceNames": rule.names,
        "NonResourceURLs": rule.paths, "Verbs": rule.verbs,
    }  # fmt: skip
    return "{" + ", ".join(f"{name}:{sorted(values)}" for name, values in parts.items() if values) + "}"
