"""An Eviction deletes a pod, if its disruption budget allows it.

Model:        what the budget's controller found to be allowed is spent here, one by one: the pod stands in
              disruptedPods from before its deletion until the controller has seen it go. A pod that does not run yet or
              any more, and one that is not ready while enough others are, costs nothing.
Concurrency:  the budget is spent in an update of it, so that two evictions never spend the same.
Spec:         "API-initiated Eviction"; k8s.io/kubernetes/pkg/registry/core/pod/storage, eviction.
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
from jubako.cluster.controllers import pods
from jubako.cluster.controllers.conditions import with_condition
from jubako.cluster.controllers.disruption import selects
from jubako.cluster.store import AsyncStore, Item
from jubako.cluster.types import times
from jubako.cluster.types.document import JSON, Object, at, child, integer, mapping, objects, text
from jubako.cluster.types.resources import resource
from jubako.cluster.types.served import Resource

_DISRUPTED_MAX = 2000
# Kubernetes says 10 s; the controller of budgets is in this process and needs milliseconds.
_PROCESSED_S = 1
_REFUSAL = "Cannot evict pod as it would violate the pod's disruption budget."


class Evictions:
    def __init__(self, store: AsyncStore, writer: Writer, deleter: Deleter, clock: Callable[[], datetime]) -> None:
        self._store, self._writer, self._deleter, self._clock = store, writer, deleter, clock

    async def evict(self, request: Request, options: DeleteOptions) -> None:
        """Delete the pod that a request names. Raises Failure (404, 409, 429, 500)."""
        asked = request.attributes
        whole = request.of_whole()
        pod = stored.decode(reading.get(self._store, asked.resource, asked.namespace, asked.name))
        if not _costs_nothing(pod):
            options = await self._allowed(whole, pod, options)
        await self._deleter.delete(whole, options)

    async def _allowed(self, request: Request, pod: Object, options: DeleteOptions) -> DeleteOptions:
        """Spend what the budget of a pod allows, and say in the pod why it goes."""
        budgets = self._budgets(request.attributes.namespace, pod)
        if len(budgets) > 1:
            raise failures.failure(
                500,
                "",
                "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.",
            )
        spares = bool(budgets) and not pods.is_ready(pod) and _spares_unready(budgets[0])
        if budgets and not spares:
            await self._spend(request, text(at(budgets[0], "metadata", "name")))
        marked = await self._mark(request)
        if not spares or request.dry_run:
            return options
        # It may have become ready since: then it would have cost something.
        return msgspec.structs.replace(options, version=options.version or str(marked.revision))

    def _budgets(self, namespace: str, pod: Object) -> list[Object]:
        found = reading.listing(self._store, reading.Selection(resource=_budget_resource(), namespace=namespace))
        return [budget for item in found.items if selects(budget := stored.decode(item), pod)]

    async def _spend(self, request: Request, name: str) -> None:
        found = _budget_resource()
        pod, namespace = request.attributes.name, request.attributes.namespace
        asked = Attributes(
            verb="update", resource=found, namespace=namespace, name=name, subresource=found.subresource("status")
        )
        await self._writer.update(_as_server(request, asked), lambda budget: _spent(budget, pod, self._clock()))

    async def _mark(self, request: Request) -> Item:
        asked = request.attributes
        status = msgspec.structs.replace(asked, verb="update", subresource=asked.resource.subresource("status"))

        def change(pod: Object) -> Object:
            mapping(pod["metadata"]).pop("resourceVersion", None)
            why = ("DisruptionTarget", "True", "EvictionByEvictionAPI", "Eviction API: evicting")
            _tell(child(pod, "status"), why, self._clock(), {"lastProbeTime": None})
            return pod

        return await self._writer.update(_as_server(request, status), change)


def _as_server(request: Request, asked: Attributes) -> Request:
    return msgspec.structs.replace(request, attributes=asked, manager="kube-apiserver", through="")


def _costs_nothing(pod: Object) -> bool:
    return pods.is_finished(pod) or pods.phase(pod) == "Pending" or bool(at(pod, "metadata", "deletionTimestamp"))


def _spares_unready(budget: Object) -> bool:
    """Whether a pod that is not ready may go whatever is allowed: it does not count as healthy anyway."""
    healthy, desired = (integer(at(budget, "status", name)) for name in ("currentHealthy", "desiredHealthy"))
    return at(budget, "spec", "unhealthyPodEvictionPolicy") == "AlwaysAllow" or healthy >= desired > 0


def _spent(budget: Object, pod: str, now: datetime) -> Object:
    """Return the budget with one disruption less. Raises Failure (403, 429)."""
    status, name = child(budget, "status"), text(at(budget, "metadata", "name"))
    allowed = integer(status.get("disruptionsAllowed"))
    if integer(status.get("observedGeneration")) < integer(at(budget, "metadata", "generation")):
        why = f"The disruption budget {name} is still being processed by the server."
        raise _too_many(why, retry_s=_PROCESSED_S)
    if len(mapping(status.get("disruptedPods"))) > _DISRUPTED_MAX:
        why = "DisruptedPods map too big - too many evictions not confirmed by PDB controller"
        raise failures.forbidden(_budget_resource(), name, why)
    if allowed <= 0:
        needs, has = integer(status.get("desiredHealthy")), integer(status.get("currentHealthy"))
        raise _too_many(f"The disruption budget {name} needs {needs} healthy pods and has {has} currently")
    status["disruptionsAllowed"] = allowed - 1
    child(status, "disruptedPods")[pod] = times.render(now)
    if allowed == 1:
        insufficient = ("DisruptionAllowed", "False", "InsufficientPods", "")
        _tell(status, insufficient, now, {"observedGeneration": status.get("observedGeneration")})
    mapping(budget["metadata"]).pop("resourceVersion", None)
    return budget


def _tell(status: Object, what: tuple[str, str, str, str], now: datetime, more: Object) -> None:
    """Set a condition, with `more` than type, status, reason, message and time."""
    told = with_condition(objects(status.get("conditions")), *what, now.timestamp())
    status["conditions"] = [{**more, **each} if each.get("type") == what[0] else each for each in told]


def _too_many(why: str, *, retry_s: int = 0) -> failures.Failure:
    cause: JSON = {"reason": "DisruptionBudget", "message": why}
    details: Object = {"causes": [cause]}
    return failures.failure(
        429, "TooManyRequests", _REFUSAL, {**details, "retryAfterSeconds": retry_s} if retry_s else details
    )


def _budget_resource() -> Resource:
    found = resource("policy", "v1", "poddisruptionbudgets")
    assert found is not None
    return found
