"""What an object takes of a quota: itself, counted, and what it asks for.

Model: `what` is the resource that an object is of, as `deployments.apps`. Everything counts as count/WHAT; a pod that
       has ended, or should have, as nothing else.
Spec:  "Resource Quotas"; kubernetes/pkg/quota/v1/evaluator.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from jubako.cluster.controllers.pods import is_finished
from jubako.cluster.controllers.quota.scopes import selects
from jubako.cluster.controllers.scheduler.resources import Amounts, amounts, totals
from jubako.cluster.objects import Object, mapping, moment, number, objects, text
from jubako.cluster.types.quantity import NANO, Quantity

PODS, SERVICES, CLAIMS = "pods", "services", "persistentvolumeclaims"
_COUNTED = frozenset((PODS, SERVICES, CLAIMS, "configmaps", "replicationcontrollers", "resourcequotas", "secrets"))
_OF_CLASS = ".storageclass.storage.k8s.io/"
_PLAIN = ("cpu", "memory", "ephemeral-storage")
_OF_PODS = (*_PLAIN, "limits.", "requests.", "hugepages-")
_BINARY = ("memory", "storage", "hugepages-")


def measures(what: str, name: str) -> bool:
    """Whether objects of a resource take anything of an amount of a quota."""
    if name == f"count/{what}" or (name == what and what in _COUNTED):
        return True
    is_storage = name == "requests.storage" or _OF_CLASS in name
    match what:
        case "pods":
            return name.startswith(_OF_PODS) and not is_storage
        case "services":
            return name in ("services.nodeports", "services.loadbalancers")
        case "persistentvolumeclaims":
            return is_storage
    return False


def spent(quota: Object, what: str, documents: Iterable[Object], now: float) -> Amounts:
    """What objects of one resource take together of what a quota limits."""
    hard = [name for name in mapping(quota, "spec", "hard") if measures(what, name)]
    total: Amounts = Counter()
    for document in documents if hard else ():
        if selects(quota, what, document):
            taken = usage(what, document, now)
            total.update({name: taken[name] for name in hard})
    return total


def usage(what: str, document: Object, now: float) -> Amounts:
    """What one object takes, by names of amounts."""
    taken: Amounts = Counter({f"count/{what}": NANO})
    if what == PODS and _has_ended(document, now):
        return taken
    if what in _COUNTED:
        taken[what] = NANO
    if what == PODS:
        taken += _of_pod(document)
    elif what == SERVICES:
        taken += _of_service(document)
    elif what == CLAIMS:
        taken += _of_claim(document)
    return taken


def written(name: str, nanos: int) -> str:
    """Return an amount as a quantity: of bytes in the form that is shorter, of anything else in decimals."""
    decimal, binary = str(Quantity(nanos)), str(Quantity(nanos, "binary"))
    return binary if any(each in name for each in _BINARY) and len(binary) <= len(decimal) else decimal


def _has_ended(pod: Object, now: float) -> bool:
    ends = ends_at(pod)
    return is_finished(pod) or (ends is not None and now > ends)


def ends_at(pod: Object) -> float | None:
    """When a pod that is being deleted stops counting though it may still be there; None for one that is not."""
    due = moment(text(pod, "metadata", "deletionTimestamp"))
    return None if due is None else due + number(pod, "metadata", "deletionGracePeriodSeconds")


def _of_pod(pod: Object) -> Amounts:
    found: Amounts = Counter()
    for name, amount in totals(pod, "requests").items():
        found[f"requests.{name}"] = amount
        if name in _PLAIN or name.startswith("hugepages-"):
            found[name] = amount
    for name, amount in totals(pod, "limits").items():
        found[f"limits.{name}"] = amount
    return found


def _of_service(service: Object) -> Amounts:
    kind, ports = text(service, "spec", "type"), objects(service, "spec", "ports")
    found: Amounts = Counter()
    if kind == "LoadBalancer":
        found["services.loadbalancers"] = NANO
        if mapping(service, "spec").get("allocateLoadBalancerNodePorts") is False:
            ports = [each for each in ports if each.get("nodePort")]
    if kind in ("NodePort", "LoadBalancer"):
        found["services.nodeports"] = len(ports) * NANO
    return found


def _of_claim(claim: Object) -> Amounts:
    """Of a claim that grows, what it has been promised counts too."""
    asked = amounts(mapping(claim, "spec", "resources", "requests")) | amounts(
        mapping(claim, "status", "allocatedResources")
    )
    found: Amounts = Counter({"requests.storage": asked["storage"]})
    if of_class := text(claim, "spec", "storageClassName"):
        found[f"{of_class}{_OF_CLASS}{CLAIMS}"] = NANO
        found[f"{of_class}{_OF_CLASS}requests.storage"] = asked["storage"]
    return found
