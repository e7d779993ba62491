"""Who a request comes from, and what it needs."""

from __future__ import annotations

from typing import NamedTuple

import msgspec


class Scope(NamedTuple):
    """What a request needs; no actions means only to be somebody. Docker's token authentication writes it so."""

    type: str = ""
    name: str = ""
    actions: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.type}:{self.name}:{','.join(self.actions)}" if self.type else ""


class Grant(msgspec.Struct, frozen=True):
    """What one entry of a token allows."""

    type: str
    name: str
    actions: list[str]

    def covers(self, scope: Scope) -> bool:
        same = (self.type, self.name) == (scope.type, scope.name)
        return same and ("*" in self.actions or set(self.actions).issuperset(scope.actions))


class Caller(NamedTuple):
    """A user, or nobody; `granted` is what a token of ours allows, and None where the policy decides."""

    user: str = ""
    groups: frozenset[str] = frozenset()
    granted: tuple[Grant, ...] | None = None


ANONYMOUS = Caller()
CATALOG = Scope("registry", "catalog", ("*",))


def pull(name: str) -> Scope:
    return Scope("repository", name, ("pull",))


def push(name: str) -> Scope:
    return Scope("repository", name, ("pull", "push"))
