"""Whoever may impersonate asks as somebody else. Spec: "Authenticating", User impersonation."""

from __future__ import annotations

from multidict import CIMultiDictProxy

from jubako.cluster.apiserver import failures
from jubako.cluster.apiserver.access.authorization import Authorization
from jubako.cluster.apiserver.access.rules import Wish
from jubako.cluster.apiserver.caller import AUTHENTICATED, User

_ACCOUNT = "system:serviceaccount:"


def impersonated(user: User, headers: CIMultiDictProxy[str], authorization: Authorization) -> User:
    """Return whom the user asks as, itself where it names nobody. Raises Failure (400, 403)."""
    name, groups = headers.get("Impersonate-User", ""), tuple(headers.getall("Impersonate-Group", []))
    if not name:
        if groups:
            raise failures.bad_request("requested groups without impersonating a user")
        return user
    _check(user, "users" if not name.startswith(_ACCOUNT) else "serviceaccounts", name, authorization)
    for group in groups:
        _check(user, "groups", group, authorization)
    if name.startswith(_ACCOUNT) and not groups:
        namespace = name.removeprefix(_ACCOUNT).partition(":")[0]
        groups = ("system:serviceaccounts", f"system:serviceaccounts:{namespace}")
    return User(
        name=name, groups=tuple(dict.fromkeys((*groups, AUTHENTICATED))), uid=headers.get("Impersonate-Uid", "")
    )


def _check(user: User, resource: str, name: str, authorization: Authorization) -> None:
    namespace = ""
    asked = name
    if resource == "serviceaccounts":
        namespace, _, asked = name.removeprefix(_ACCOUNT).partition(":")
    wish = Wish(verb="impersonate", resource=resource, name=asked)
    if not authorization.allows(user, wish, namespace):
        why = f'User "{user.name}" cannot impersonate resource "{resource}" in API group "" at the cluster scope'
        message = f'{resource} "{asked}" is forbidden: {why}'
        raise failures.failure(403, "Forbidden", message, {"name": asked, "kind": resource})
