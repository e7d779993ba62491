"""What a controller is: a name, which keys a change concerns, and a pure function from what is observed to actions.

Invariant: `reconcile` reads nothing but what it is given and changes nothing; two calls with the same arguments give
the same actions. It brings its object one step nearer to what is declared, and the change that it makes brings it back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from jubako.cluster.controllers.actions import Actions
from jubako.cluster.controllers.kinds import Key, Kind, key_of
from jubako.cluster.controllers.observed import Observed
from jubako.cluster.objects import Object, controller_of, namespace, text

Concerns = Callable[[Observed, Object], Iterable[Key]]
"""Which keys a change of an object concerns; it is asked about the old version and the new one."""


@dataclass(frozen=True)
class Controller:
    name: str
    watches: Mapping[Kind, Concerns]
    reconcile: Callable[[Observed, Key], Actions]
    source: str = ""

    @property
    def component(self) -> str:
        """Who its events say they come from."""
        return self.source or f"{self.name}-controller"


def itself(_: Observed, document: Object) -> list[Key]:
    return [key_of(document)]


def owner(kind: Kind) -> Concerns:
    """The object of a kind that controls the changed one."""

    def concerns(_: Observed, document: Object) -> list[Key]:
        reference = controller_of(document)
        if reference is None or (text(reference, "apiVersion"), text(reference, "kind")) != kind:
            return []
        return [Key(namespace(document), text(reference, "name"))]

    return concerns


def claimant(kind: Kind, selects: Callable[[Object, Object], bool]) -> Concerns:
    """The controller of the changed object, or, where it has none, every object of a kind that selects it."""
    by_owner = owner(kind)

    def concerns(observed: Observed, document: Object) -> Iterable[Key]:
        if controller_of(document) is not None:
            return by_owner(observed, document)
        return [key_of(each) for each in observed.all(kind, namespace(document)) if selects(each, document)]

    return concerns
