"""A StatefulSet's pods in one view: those of its ordinals, those that are too many, and in what state each is."""

from __future__ import annotations

from dataclasses import dataclass

from jubako.cluster.controllers import pods
from jubako.cluster.controllers.statefulset.identity import ordinal, ordinals
from jubako.cluster.objects import Object, is_deleting, number, text


@dataclass(frozen=True)
class Members:
    """`wanted` has the pod of each ordinal, or None; `condemned` are the others, the highest first."""

    wanted: dict[int, Object | None]
    condemned: list[Object]

    @property
    def present(self) -> list[Object]:
        return [pod for pod in self.wanted.values() if pod is not None] + self.condemned


def members(set_: Object, claimed: list[Object]) -> Members:
    by_ordinal = {ordinal(pod): pod for pod in claimed}
    wanted = {each: by_ordinal.get(each) for each in ordinals(set_)}
    condemned = sorted((pod for each, pod in by_ordinal.items() if each not in wanted), key=ordinal, reverse=True)
    return Members(wanted, condemned)


def is_running_and_ready(pod: Object) -> bool:
    return pods.phase(pod) == "Running" and pods.is_ready(pod)


def is_available(set_: Object, pod: Object, now: float) -> bool:
    return is_running_and_ready(pod) and pods.is_available(pod, number(set_, "spec", "minReadySeconds"), now)


def is_healthy(pod: Object | None) -> bool:
    return pod is not None and is_running_and_ready(pod) and not is_deleting(pod)


def is_ordered(set_: Object) -> bool:
    return text(set_, "spec", "podManagementPolicy") != "Parallel"
