"""An Eviction is a deletion that the budgets of a pod must allow.

Model:        what a budget allows is counted down in its status, with the pod's name beside it, before the pod is
              deleted. A kill between the two costs the budget one eviction for two minutes, never one too many.
Concurrency:  two evictions never share one allowance: who comes second counts what the first has left.
Spec:         "API-initiated Eviction"; k8s.io/kubernetes/pkg/registry/core/pod/storage/eviction.go.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import msgspec

from jubako.cluster.apiserver import failures
from jubako.cluster.apiserver.attributes import Attributes
from jubako.cluster.apiserver.caller import Request
from jubako.cluster.apiserver.objects import reading, stored
from jubako.cluster.apiserver.objects.deleting import DeleteOptions, Deleter
from jubako.cluster.apiserver.objects.writing import Writer
from jubako.cluster.store import AsyncStore
from jubako.cluster.types import times
from jubako.cluster.types.document import Object, at, child, integer, objects, strings, text
from jubako.cluster.types.resources import resource
from jubako.cluster.types.selection import matches
from jubako.cluster.types.served import Resource

_WOULD_VIOLATE = "Cannot evict pod as it would violate the pod's disruption budget."
_TOO_MANY = "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support."
# Kubernetes says 10 s; the controller of budgets is in this process and needs milliseconds.
_AGAIN_S, _MOST_DISRUPTED = 1, 2000


class Evicting:
    def __init__(self, store: AsyncStore, writer: Writer, deleter: Deleter, clock: Callable[[], datetime]) -> None:
        self._store, self._writer, self._deleter, self._clock = store, writer, deleter, clock

    async def evict(self, request: Request, options: DeleteOptions) -> None:
        """Delete a pod, as its budget allows. Raises Failure (404, 409, 429, 500)."""
        asked = request.attributes
        pod = stored.decode(reading.get(self._store, asked.resource, asked.namespace, asked.name))
        if not _is_free(pod):
            found = self._budgets(pod)
            if len(found) > 1:
                raise failures.failure(500, "InternalError", _TOO_MANY)
            if found and not _may_go_unready(found[0], pod):
                await self._allow(request, text(at(found[0], "metadata", "name")))
        await self._deleter.delete(request, options)

    def _budgets(self, pod: Object) -> list[Object]:
        namespace = text(at(pod, "metadata", "namespace"))
        listing = reading.listing(self._store, reading.Selection(resource=_BUDGETS, namespace=namespace))
        labels = strings(at(pod, "metadata", "labels"))
        found = [stored.decode(item) for item in listing.items]
        return [each for each in found if matches(at(each, "spec", "selector"), labels)]

    async def _allow(self, request: Request, budget: str) -> None:
        """Count the eviction in the budget's status."""
        pod, now = request.attributes.name, times.render(self._clock())

        def count(old: Object) -> Object:
            _check(old, budget)
            status = child(old, "status")
            status["disruptionsAllowed"] = integer(status.get("disruptionsAllowed")) - 1
            child(status, "disruptedPods")[pod] = now
            child(old, "metadata").pop("resourceVersion", None)  # counted again where somebody was quicker
            return old

        below = _BUDGETS.subresource("status")
        asked = Attributes(
            verb="update", resource=_BUDGETS, namespace=request.attributes.namespace, name=budget, subresource=below
        )
        await self._writer.update(msgspec.structs.replace(request, attributes=asked), count)


def _check(budget: Object, name: str) -> None:
    """Raises Failure (403, 429) where nothing may go now."""
    allowed, disrupted = (at(budget, "status", field) for field in ("disruptionsAllowed", "disruptedPods"))
    if integer(at(budget, "status", "observedGeneration")) < integer(at(budget, "metadata", "generation")):
        raise _later(f"The disruption budget {name} is still being processed by the server.", _AGAIN_S)
    if len(strings(disrupted)) > _MOST_DISRUPTED:
        why = "DisruptedPods map too big - too many evictions not confirmed by PDB controller"
        raise failures.forbidden(_BUDGETS, name, why)
    if integer(allowed) <= 0:
        needs, has = (integer(at(budget, "status", field)) for field in ("desiredHealthy", "currentHealthy"))
        raise _later(f"The disruption budget {name} needs {needs} healthy pods and has {has} currently", 0)


def _later(why: str, retry_s: int) -> failures.Failure:
    details: Object = {"causes": [{"reason": "DisruptionBudget", "message": why}]}
    if retry_s:
        details["retryAfterSeconds"] = retry_s
    return failures.failure(429, "TooManyRequests", _WOULD_VIOLATE, details)


def _is_free(pod: Object) -> bool:
    """Whether a pod does no work that a budget could protect."""
    phase = text(at(pod, "status", "phase"))
    return phase in ("Succeeded", "Failed", "Pending") or bool(at(pod, "metadata", "deletionTimestamp"))


def _may_go_unready(budget: Object, pod: Object) -> bool:
    """Whether a pod that runs and is not ready may go without being counted."""
    conditions = objects(at(pod, "status", "conditions"))
    if any(each.get("type") == "Ready" and each.get("status") == "True" for each in conditions):
        return False
    if at(budget, "spec", "unhealthyPodEvictionPolicy") == "AlwaysAllow":
        return True
    desired = integer(at(budget, "status", "desiredHealthy"))
    return 0 < desired <= integer(at(budget, "status", "currentHealthy"))


def _budget_resource() -> Resource:
    found = resource("policy", "v1", "poddisruptionbudgets")
    assert found is not None
    return found


_BUDGETS = _budget_resource()
