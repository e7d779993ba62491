"""The rules of Role and ClusterRole documents: whether they allow something, and whether some cover others.

Spec: "Using RBAC Authorization"; k8s.io/kubernetes/pkg/registry/rbac/validation.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from jubako.cluster.types.document import Object, array, objects, text

ALL = "*"


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody wants to do: with a resource (`resource` has its subresource as RESOURCE/SUB), or with a path."""

    verb: str
    group: str = ""
    resource: str = ""
    name: str = ""
    path: str = ""


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """One rule; empty `names` means any."""

    verbs: frozenset[str]
    groups: frozenset[str] = frozenset()
    resources: frozenset[str] = frozenset()
    names: frozenset[str] = frozenset()
    paths: frozenset[str] = frozenset()

    def allows(self, wish: Wish) -> bool:
        if not _has(self.verbs, wish.verb):
            return False
        if wish.path:
            return any(_is_within(wish.path, path) for path in self.paths)
        named = not self.names or wish.name in self.names
        return named and _has(self.groups, wish.group) and self._has_resource(wish.resource)

    def _has_resource(self, resource: str) -> bool:
        below = resource.partition("/")[2]
        return _has(self.resources, resource) or bool(below and f"*/{below}" in self.resources)


def rules_of(role: Object) -> list[Rule]:
    """Return the rules of a Role or ClusterRole."""
    return [_rule(each) for each in objects(role.get("rules"))]


def uncovered(wanted: Iterable[Rule], owned: Iterable[Rule]) -> list[Rule]:
    """Return those of the wanted rules that allow something which the owned ones do not."""
    have = list(owned)
    return [rule for rule in wanted if not all(any(own.allows(wish) for own in have) for wish in wishes(rule))]


def wishes(rule: Rule) -> Iterable[Wish]:
    """Return all single things that a rule allows."""
    for verb in rule.verbs:
        for path in rule.paths:
            yield Wish(verb=verb, path=path)
        for group in rule.groups:
            for resource in rule.resources:
                for name in rule.names or ("",):
                    yield Wish(verb=verb, group=group, resource=resource, name=name)


def _rule(document: Object) -> Rule:
    def of(name: str) -> frozenset[str]:
        return frozenset(text(each) for each in array(document.get(name)))

    return Rule(
        verbs=of("verbs"),
        groups=of("apiGroups"),
        resources=of("resources"),
        names=of("resourceNames"),
        paths=of("nonResourceURLs"),
    )


def _has(among: frozenset[str], one: str) -> bool:
    return ALL in among or one in among


def _is_within(path: str, pattern: str) -> bool:
    return pattern in (path, ALL) or (pattern.endswith(ALL) and path.startswith(pattern[:-1]))
