"""What a pod asks for and what a node has left.

Model: the larger of the sum of the containers (with the sidecars) and of each init container with the sidecars before
       it, and the pod's overhead; requests at the level of the pod, where there are any, in their place. An
       overhead adds to a limit only where there is one.
Spec:  kubernetes/pkg/api/v1/resource, "PodRequests".
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Literal

from jubako.cluster.controllers.pods import is_finished
from jubako.cluster.objects import Object, mapping, objects, strings, text
from jubako.cluster.types.quantity import Quantity
from jubako.errors import InvalidArgument

Which = Literal["requests", "limits"]
Amounts = Counter[str]
"""Billionths of each resource."""
_MOST_KNOWN = 4096
_known: dict[int, tuple[Object, Amounts]] = {}


def amounts(quantities: Object) -> Amounts:
    found: Amounts = Counter()
    for name, written in quantities.items():
        try:
            found[name] = Quantity.parse(written if isinstance(written, str) else str(written)).nanos
        except InvalidArgument:
            continue
    return found


def requests(pod: Object) -> Amounts:
    """What a pod asks of a node; remembered, as all that are on a node are asked about for each to come."""
    known = _known.get(id(pod))
    if known is None or known[0] is not pod:
        if len(_known) >= _MOST_KNOWN:
            _known.clear()
        known = _known[id(pod)] = (pod, totals(pod, "requests"))
    return known[1]


def totals(pod: Object, which: Which) -> Amounts:
    """What a pod requests, or is limited to, in all."""
    running = _sum(_of(each, which) for each in objects(pod, "spec", "containers"))
    sidecars: Amounts = Counter()
    largest: Amounts = Counter()
    for each in objects(pod, "spec", "initContainers"):
        if text(each, "restartPolicy") == "Always":
            sidecars += _of(each, which)
            largest |= sidecars
        else:
            largest |= sidecars + _of(each, which)
    total = (running + sidecars) | largest
    for name, amount in amounts(mapping(pod, "spec", "resources", which)).items():
        total[name] = amount
    overhead = amounts(mapping(pod, "spec", "overhead"))
    return total + Counter({name: more for name, more in overhead.items() if which == "requests" or total[name]})


def _of(container: Object, which: Which) -> Amounts:
    return amounts(mapping(container, "resources", which))


def _sum(each: Iterable[Amounts]) -> Amounts:
    total: Amounts = Counter()
    for one in each:
        total += one
    return total


def insufficient(pod: Object, node: Object, on_node: list[Object]) -> tuple[list[str], bool]:
    """Which resources of a node do not suffice, in Kubernetes' words, and whether they never would."""
    room = amounts(mapping(node, "status", "allocatable"))
    present = [each for each in on_node if not is_finished(each)]
    used = _sum(requests(each) for each in present)
    lacking = [] if len(present) + 1 <= room.get("pods", 0) // 10**9 else ["Too many pods"]
    never = False
    for name, amount in sorted(requests(pod).items(), key=_in_order):
        if amount > room.get(name, 0) - used.get(name, 0):
            lacking.append(f"Insufficient {name}")
            never = never or amount > room.get(name, 0)
    return lacking, never


def _in_order(entry: tuple[str, int]) -> tuple[int, str]:
    order = ("cpu", "memory", "ephemeral-storage")
    return (order.index(entry[0]) if entry[0] in order else len(order), entry[0])


def host_ports(pod: Object) -> set[tuple[str, str, int]]:
    """The ports of the node that a pod takes: address, protocol, port."""
    found = set()
    for container in [*objects(pod, "spec", "containers"), *objects(pod, "spec", "initContainers")]:
        for port in objects(container, "ports"):
            number = port.get("hostPort")
            if isinstance(number, int) and number:
                held = strings(port)
                found.add((held.get("hostIP", "") or "0.0.0.0", held.get("protocol", "TCP"), number))
    return found


def ports_clash(pod: Object, on_node: list[Object]) -> bool:
    wanted = host_ports(pod)
    taken = {each for other in on_node if not is_finished(other) for each in host_ports(other)} if wanted else set()
    return any(_same_port(one, other) for one in wanted for other in taken)


def _same_port(one: tuple[str, str, int], other: tuple[str, str, int]) -> bool:
    everywhere = "0.0.0.0" in (one[0], other[0])
    return one[1:] == other[1:] and (everywhere or one[0] == other[0])
