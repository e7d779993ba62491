"""What each caller may do in each repository: rules that only ever allow; what none allows is refused."""

from __future__ import annotations

from collections.abc import Iterable

from jubako.registry.server.access.caller import ANONYMOUS, Caller, Scope
from jubako.registry.server.config.schema import EVERYTHING, Access, Action, Rule
from jubako.registry.server.globs import any_matches

_ALL: frozenset[Action] = frozenset(("pull", "push", "delete"))
_PULL: frozenset[Action] = frozenset(("pull",))


class Policy:
    def __init__(self, access: Access) -> None:
        self._rules = access.policy
        self._groups = access.groups
        self._anonymous_pull = access.anonymous_pull

    def groups_of(self, user: str) -> frozenset[str]:
        """The groups of the configuration that `user` is in."""
        return frozenset(group for group, members in self._groups.items() if user in members)

    def allows(self, caller: Caller, scope: Scope) -> bool:
        if not scope.actions:
            return caller.user != ANONYMOUS.user
        if scope.type != "repository":
            return (scope.type, scope.name) == ("registry", "catalog") and caller.user != ANONYMOUS.user
        return self.actions(caller, scope.name).issuperset(scope.actions)

    def actions(self, caller: Caller, name: str) -> frozenset[str]:
        """All that `caller` may do in repository `name`."""
        return frozenset(action for rule in self._applicable(caller, name) for action in rule.actions)

    def _applicable(self, caller: Caller, name: str) -> Iterable[Rule]:
        if self._anonymous_pull:
            yield Rule(repositories=EVERYTHING, actions=_PULL, anonymous=True)
        if self._rules is None:
            if caller.user:
                yield Rule(repositories=EVERYTHING, actions=_ALL, users=frozenset({caller.user}))
            return
        for rule in self._rules:
            meant = rule.anonymous or caller.user in rule.users or rule.groups & caller.groups
            if meant and any_matches(rule.repositories, name):
                yield rule
