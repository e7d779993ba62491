"""Whoever may impersonate asks as somebody else. Spec: "Authenticating", User impersonation."""

from __future__ import annotations

from collections.abc import Iterator

from multidict import CIMultiDictProxy

from jubako.cluster.apiserver import failures
from jubako.cluster.apiserver.access.authorization import Authorization
from jubako.cluster.apiserver.access.rules import Wish
from jubako.cluster.apiserver.caller import AUTHENTICATED, User

_ACCOUNT = "system:serviceaccount:"
_GROUP, _EXTRA = "authentication.k8s.io", "impersonate-extra-"


def impersonated(user: User, headers: CIMultiDictProxy[str], authorization: Authorization) -> User:
    """Return whom the user asks as, itself where it names nobody. Raises Failure (400, 403)."""
    name, groups = headers.get("Impersonate-User", ""), tuple(headers.getall("Impersonate-Group", []))
    if not name:
        if groups or any(_others(headers)):
            raise failures.bad_request("requested groups, a uid or extra without impersonating a user")
        return user
    _check(user, "users" if not name.startswith(_ACCOUNT) else "serviceaccounts", name, authorization)
    for group in groups:
        _check(user, "groups", group, authorization)
    for wish in _others(headers):
        if not authorization.allows(user, wish, ""):
            raise _forbidden(user, wish)
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
        raise _forbidden(user, wish)


def _others(headers: CIMultiDictProxy[str]) -> Iterator[Wish]:
    """What else of somebody a client wants to have: each is a right of its own."""
    for name, value in headers.items():
        key = name.lower()
        if key == "impersonate-uid":
            yield Wish(verb="impersonate", group=_GROUP, resource="uids", name=value)
        elif key.startswith(_EXTRA):
            yield Wish(verb="impersonate", group=_GROUP, resource=f"userextras/{key.removeprefix(_EXTRA)}", name=value)


def _forbidden(user: User, wish: Wish) -> failures.Failure:
    which = f'resource "{wish.resource}" in API group "{wish.group}" at the cluster scope'
    what = f"{wish.resource}.{wish.group}" if wish.group else wish.resource
    message = f'{what} "{wish.name}" is forbidden: User "{user.name}" cannot impersonate {which}'
    return failures.failure(403, "Forbidden", message, {"name": wish.name, "kind": wish.resource})
