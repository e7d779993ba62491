"""Bringing a DaemonSet's pods to a new template, node by node.

Invariant: without a surge, no more than maxUnavailable of the nodes lose their available pod to the update; with one,
           an old pod goes only when the new one beside it is available, and no more than maxSurge nodes have two.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from jubako.cluster.controllers import pods
from jubako.cluster.controllers.deployment.bounds import scaled
from jubako.cluster.controllers.history import is_of
from jubako.cluster.objects import Object, at, is_deleting, number


@dataclass(frozen=True)
class Place:
    """A node that is to have a pod, and the pods it has: those of the present template and the older ones."""

    node: str
    new: Object | None
    old: Object | None


def place(node: str, present: list[Object], hash_: str) -> Place:
    lasting = [pod for pod in present if not is_deleting(pod)]
    new = next((pod for pod in lasting if is_of(pod, hash_)), None)
    return Place(node, new, next((pod for pod in lasting if not is_of(pod, hash_)), None))


def limits(daemon_set: Object, desired: int) -> tuple[int, int]:
    """Return maxSurge and maxUnavailable as counts; both round up, and both nothing is one unavailable."""
    rolling = at(daemon_set, "spec", "updateStrategy", "rollingUpdate")
    surge = scaled(at(rolling, "maxSurge"), desired, up=True)
    written = at(rolling, "maxUnavailable")
    unavailable = scaled(1 if written is None else written, desired, up=True)
    return surge, unavailable if surge or unavailable else 1


def to_replace(daemon_set: Object, places: list[Place], now: float) -> tuple[list[Object], list[str]]:
    """The old pods to delete, and the nodes that get a new pod beside the old one."""
    surge, unavailable = limits(daemon_set, len(places))
    min_ready_s = number(daemon_set, "spec", "minReadySeconds")

    def is_available(pod: Object | None) -> bool:
        return pod is not None and pods.is_available(pod, min_ready_s, now)

    if surge:
        return _beside(places, surge, is_available)
    gone = sum(not is_available(each.new) and not is_available(each.old) for each in places)
    broken = [each.old for each in places if each.new is None and each.old is not None and not is_available(each.old)]
    working = [each.old for each in places if each.new is None and each.old is not None and is_available(each.old)]
    return [*broken, *working[: max(unavailable - gone, 0)]], []


def _beside(
    places: list[Place], surge: int, is_available: Callable[[Object | None], bool]
) -> tuple[list[Object], list[str]]:
    replaced = [each.old for each in places if each.old is not None and is_available(each.new)]
    doubled = sum(each.old is not None and each.new is not None for each in places)
    single = [each for each in places if each.old is not None and each.new is None]
    broken = [each.node for each in single if not is_available(each.old)]
    working = [each.node for each in single if is_available(each.old)]
    return replaced, [*broken, *working[: max(surge - doubled, 0)]]
