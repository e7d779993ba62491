"""Which requests are audited. Spec: "Auditing", Audit policy."""

from __future__ import annotations

from typing import Literal

from jubako.cluster.apiserver.attributes import Attributes
from jubako.cluster.apiserver.caller import User

Auditing = Literal["metadata", "all", "none"]
"""What is kept: what changes something and what was denied; everything; nothing."""

CONNECTS = frozenset({"exec", "attach", "portforward", "proxy"})
"""Subresources that do something, whatever the verb is."""
_WRITES = frozenset({"create", "update", "patch", "delete", "deletecollection"})
_NOISE = frozenset({"events", "leases"})
_DENIED = (401, 403)
_SYSTEM = ("system:kube-", "system:node:", "system:apiserver")


def is_kept(auditing: Auditing, user: User | None, asked: Attributes | None, code: int) -> bool:
    """Whether a request is audited; `code` is 0 while there is no answer."""
    if auditing != "metadata":
        return auditing == "all"
    if code in _DENIED:
        return True
    if asked is None or user is None or user.name.startswith(_SYSTEM):
        return False
    return _does(asked) and asked.resource.plural not in _NOISE


def _does(asked: Attributes) -> bool:
    return asked.verb in _WRITES or connects(asked)


def connects(asked: Attributes) -> bool:
    return asked.subresource is not None and asked.subresource.name in CONNECTS
