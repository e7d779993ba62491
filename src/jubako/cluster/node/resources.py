"""Requests and limits -> what cgroups enforce, of a container and of its pod, and who goes first when memory ends.

Spec: "Resource Management for Pods and Containers"; k8s.io/kubernetes/pkg/kubelet/cm/helpers_linux.go, qos/policy.go.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import TypedDict

from jubako.cluster.types.document import Object, at, objects, text
from jubako.cluster.types.quantity import Quantity

_PERIOD_US, _LEAST_QUOTA_US = 100_000, 1000
_LEAST_SHARES, _MOST_SHARES = 2, 262144
_LEAST_MEMORY = 6 << 20
_GUARANTEED, _BEST_EFFORT, _LEAST_BURSTABLE = -997, 1000, 3


class Limits(TypedDict):
    """As the engine's options name them; sizes in bytes, 0 for no limit."""

    memory: int
    memory_swap: int
    cpu_shares: int
    cpu_period: int
    cpu_quota: int


def of_container(container: Object) -> Limits:
    memory, cpu = (_amount(container, "limits", name) for name in ("memory", "cpu"))
    return _limits(memory, cpu, _amount(container, "requests", "cpu"))


def of_pod(pod: Object) -> Limits:
    """Its containers' together; what one of them has no limit of, the pod has none of either."""
    every = [*_main(pod), *_initial(pod)]
    memory, cpu = (
        _whole(pod, "limits", name) if all(_amount(each, "limits", name) for each in every) else 0
        for name in ("memory", "cpu")
    )
    return _limits(memory, cpu, _whole(pod, "requests", "cpu"))


def oom_score_adj(container: Object, qos_class: str) -> int:
    """The less of the machine a container has asked for, the sooner it goes."""
    if qos_class == "Guaranteed":
        return _GUARANTEED
    if qos_class == "BestEffort":
        return _BEST_EFFORT
    machine = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    share = 1000 * (_amount(container, "requests", "memory") // 10**9) // machine
    return min(max(1000 - share, _LEAST_BURSTABLE), _BEST_EFFORT - 1)


def _limits(memory: int, cpu: int, requested_cpu: int) -> Limits:
    size_bytes = max(memory // 10**9, _LEAST_MEMORY) if memory else 0
    return {
        "memory": size_bytes,
        "memory_swap": size_bytes,
        "cpu_shares": min(max(requested_cpu * 1024 // 10**9, _LEAST_SHARES), _MOST_SHARES),
        "cpu_period": _PERIOD_US if cpu else 0,
        "cpu_quota": max(cpu * _PERIOD_US // 10**9, _LEAST_QUOTA_US) if cpu else 0,
    }


def _whole(pod: Object, kind: str, name: str) -> int:
    """What all need at once: the containers and sidecars, or an init container with the sidecars before it; and what
    the pod costs besides."""
    beside, most = 0, 0
    for container in _initial(pod):
        amount = _amount(container, kind, name)
        most = max(most, beside + amount)
        if container.get("restartPolicy") == "Always":
            beside += amount
    total = max(most, beside + sum(_amount(each, kind, name) for each in _main(pod)))
    over = Quantity.parse(text(at(pod, "spec", "overhead", name)) or "0").nanos
    return total + over if total or kind == "requests" else total


def _amount(container: Object, kind: str, name: str) -> int:
    """In billionths."""
    return Quantity.parse(text(at(container, "resources", kind, name)) or "0").nanos


def _main(pod: Object) -> Iterable[Object]:
    return objects(at(pod, "spec", "containers"))


def _initial(pod: Object) -> Iterable[Object]:
    return objects(at(pod, "spec", "initContainers"))
