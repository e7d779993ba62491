"""RBAC: what the stored roles and bindings allow a user.

Model:  system:masters may do all. For the rest, every binding that names the user, one of its groups or its service
        account gives the rules of its role: in all namespaces (ClusterRoleBinding) or in its own (RoleBinding).
Spec:   "Using RBAC Authorization".
"""

from __future__ import annotations

from collections.abc import Iterator

from jubako.cluster.apiserver import failures
from jubako.cluster.apiserver.access.rules import Rule, Wish, rules_of
from jubako.cluster.apiserver.access.tokens import user_name
from jubako.cluster.apiserver.attributes import Attributes
from jubako.cluster.apiserver.caller import MASTERS, User
from jubako.cluster.apiserver.objects import stored
from jubako.cluster.store import AsyncStore
from jubako.cluster.types.document import Object, mapping, objects, text
from jubako.cluster.types.resources import resource
from jubako.cluster.types.served import Resource
from jubako.errors import NotFound

GROUP = "rbac.authorization.k8s.io"


class Authorization:
    def __init__(self, store: AsyncStore) -> None:
        self._store = store

    def check(self, user: User, asked: Attributes) -> str:
        """Return why the user may do what is asked. Raises Failure (403)."""
        reason = self._reason(user, wish_of(asked), asked.namespace)
        if reason is None:
            raise failures.forbidden(asked.resource, asked.name, _refusal(user, asked))
        return reason

    def check_path(self, user: User, verb: str, path: str) -> str:
        reason = self._reason(user, Wish(verb=verb, path=path), "")
        if reason is None:
            message = f'forbidden: User "{user.name}" cannot {verb} path "{path}"'
            raise failures.failure(403, "Forbidden", message, {})
        return reason

    def allows(self, user: User, wish: Wish, namespace: str) -> bool:
        return self._reason(user, wish, namespace) is not None

    def _reason(self, user: User, wish: Wish, namespace: str) -> str | None:
        """Return what allows it, "" for who may do all; None where nothing does."""
        if MASTERS in user.groups:
            return ""
        for binding, subject, where in self._bindings(user, namespace):
            if any(rule.allows(wish) for rule in self.role(binding, where)):
                return _told(binding, subject)
        return None

    def rules(self, user: User, namespace: str) -> Iterator[Rule]:
        """Yield the rules that a user has in a namespace ("": those for everything)."""
        for binding, _, where in self._bindings(user, namespace):
            yield from self.role(binding, where)

    def _bindings(self, user: User, namespace: str) -> Iterator[tuple[Object, Object, str]]:
        """Yield the bindings that concern a user in a namespace, by which subject, and where they give their role."""
        yield from self._bound(user, "clusterrolebindings", "")
        if namespace:
            yield from self._bound(user, "rolebindings", namespace)

    def _bound(self, user: User, plural: str, namespace: str) -> Iterator[tuple[Object, Object, str]]:
        for item in self._store.list(stored.prefix(_resource(plural), namespace)).items:
            binding = stored.decode(item)
            subjects = objects(binding.get("subjects"))
            if subject := next((each for each in subjects if _names(each, user, namespace)), None):
                yield binding, subject, namespace

    def role(self, binding: Object, namespace: str) -> list[Rule]:
        """Return the rules of the role that a binding refers to; none where there is no such role."""
        reference = mapping(binding.get("roleRef"))
        own = reference.get("kind") == "Role"
        place = stored.key(
            _resource("roles" if own else "clusterroles"), namespace if own else "", text(reference.get("name"))
        )
        try:
            return rules_of(stored.decode(self._store.get(place)))
        except NotFound:
            return []


def wish_of(asked: Attributes) -> Wish:
    below = f"/{asked.subresource.name}" if asked.subresource else ""
    group = asked.resource.kind.group
    return Wish(verb=asked.verb, group=group, resource=f"{asked.resource.plural}{below}", name=asked.name)


def _names(subject: Object, user: User, namespace: str) -> bool:
    name = text(subject.get("name"))
    match subject.get("kind"):
        case "User":
            return name == user.name
        case "Group":
            return name in user.groups
        case "ServiceAccount":
            return user_name(text(subject.get("namespace")) or namespace, name) == user.name
    return False


def _told(binding: Object, subject: Object) -> str:
    """Say by which binding something is allowed, as Kubernetes does in its audit log."""
    role, metadata = mapping(binding.get("roleRef")), mapping(binding.get("metadata"))
    name = "/".join(text(metadata[part]) for part in ("name", "namespace") if part in metadata)
    whose = "/".join(text(subject[part]) for part in ("name", "namespace") if subject.get(part))
    through = f'{text(binding.get("kind"))} "{name}" of {text(role.get("kind"))} "{text(role.get("name"))}"'
    return f'RBAC: allowed by {through} to {text(subject.get("kind"))} "{whose}"'


def _refusal(user: User, asked: Attributes) -> str:
    wish = wish_of(asked)
    where = f'in the namespace "{asked.namespace}"' if asked.namespace else "at the cluster scope"
    return f'User "{user.name}" cannot {wish.verb} resource "{wish.resource}" in API group "{wish.group}" {where}'


def _resource(plural: str) -> Resource:
    found = resource(GROUP, "v1", plural)
    assert found is not None
    return found
