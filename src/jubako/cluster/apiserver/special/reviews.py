"""What one may do, and who somebody is: kinds that are asked with a create and never stored.

Spec: authorization.k8s.io/v1 SubjectAccessReview and its kin; authentication.k8s.io/v1 TokenReview, SelfSubjectReview.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from jubako.cluster.apiserver.access.authorization import Authorization
from jubako.cluster.apiserver.access.rules import Rule, Wish
from jubako.cluster.apiserver.access.tokens import ISSUER, Tokens
from jubako.cluster.apiserver.caller import AUTHENTICATED, MASTERS, User
from jubako.cluster.types.document import JSON, Object, array, mapping, text


class Reviews:
    def __init__(self, authorization: Authorization, tokens: Tokens) -> None:
        self._authorization, self._tokens = authorization, tokens
        self._by_kind: dict[str, Callable[[User, Object, str], Object]] = {
            "SelfSubjectAccessReview": self._own_access,
            "SubjectAccessReview": self._access,
            "LocalSubjectAccessReview": self._access,
            "SelfSubjectRulesReview": self._own_rules,
            "TokenReview": self._token,
            "SelfSubjectReview": self._self,
        }

    def answers(self, kind: str) -> bool:
        """Whether a kind is one of these."""
        return kind in self._by_kind

    def answer(self, kind: str, user: User, review: Object, namespace: str) -> Object:
        """Return the review with its status."""
        return {**review, "status": self._by_kind[kind](user, mapping(review.get("spec")), namespace)}

    def _own_access(self, user: User, spec: Object, namespace: str) -> Object:
        return self._may(user, spec)

    def _access(self, user: User, spec: Object, namespace: str) -> Object:
        groups = tuple(text(each) for each in array(spec.get("groups")))
        return self._may(User(name=text(spec.get("user")), groups=groups), spec)

    def _may(self, user: User, spec: Object) -> Object:
        asked, path = mapping(spec.get("resourceAttributes")), mapping(spec.get("nonResourceAttributes"))
        if path:
            wish = Wish(verb=text(path.get("verb")), path=text(path.get("path")))
        else:
            below = text(asked.get("subresource"))
            plural = text(asked.get("resource"))
            wish = Wish(
                verb=text(asked.get("verb")),
                group=text(asked.get("group")),
                resource=f"{plural}/{below}" if below else plural,
                name=text(asked.get("name")),
            )
        return {"allowed": self._authorization.allows(user, wish, text(asked.get("namespace")))}

    def _own_rules(self, user: User, spec: Object, namespace: str) -> Object:
        own = list(self._authorization.rules(user, text(spec.get("namespace"))))
        every = frozenset("*")
        if MASTERS in user.groups:
            own += [Rule(verbs=every, groups=every, resources=every), Rule(verbs=every, paths=every)]
        resources: list[JSON] = [_resource_rule(rule) for rule in own if not rule.paths]
        paths: list[JSON] = [
            {"verbs": _listed(rule.verbs), "nonResourceURLs": _listed(rule.paths)} for rule in own if rule.paths
        ]
        return {"resourceRules": resources, "nonResourceRules": paths, "incomplete": False}

    def _token(self, user: User, spec: Object, namespace: str) -> Object:
        for audience in [text(each) for each in array(spec.get("audiences"))] or [ISSUER]:
            if found := self._tokens.read(text(spec.get("token")), audience):
                known = msgspec.structs.replace(found, groups=(*found.groups, AUTHENTICATED))
                return {"authenticated": True, "user": _shown(known), "audiences": [audience]}
        return {"authenticated": False, "error": "invalid bearer token"}

    def _self(self, user: User, spec: Object, namespace: str) -> Object:
        return {"userInfo": _shown(user)}


def _shown(user: User) -> Object:
    """A UserInfo, without what is empty."""
    extra: Object = {name: list(held) for name, held in user.extra.items()}
    found: Object = {"username": user.name, "uid": user.uid, "groups": list(user.groups), "extra": extra}
    return {name: held for name, held in found.items() if held}


def _resource_rule(rule: Rule) -> Object:
    shown: Object = {
        "verbs": _listed(rule.verbs), "apiGroups": _listed(rule.groups), "resources": _listed(rule.resources),
    }  # fmt: skip
    return {**shown, "resourceNames": _listed(rule.names)} if rule.names else shown


def _listed(values: frozenset[str]) -> list[JSON]:
    return [*sorted(values)]
