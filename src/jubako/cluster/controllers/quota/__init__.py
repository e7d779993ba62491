"""ResourceQuota: its status tells what is used. What may be made is decided by the API server, upon what is stored.

scopes   which objects a quota is about
usage    what an object takes of it

Spec: kubernetes/pkg/controller/resourcequota.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from jubako.cluster.controllers.actions import Action, set_status, soonest
from jubako.cluster.controllers.controller import Concerns, Controller, itself
from jubako.cluster.controllers.kinds import POD, RESOURCE_QUOTA, Key, Kind, key_of, kind_of
from jubako.cluster.controllers.observed import Observed
from jubako.cluster.controllers.quota.usage import ends_at, measures, spent, written
from jubako.cluster.controllers.scheduler.resources import Amounts
from jubako.cluster.objects import Object, mapping, namespace
from jubako.cluster.types.resources import resource_of


def reconcile(observed: Observed, key: Key) -> list[Action]:
    quota = observed.get(RESOURCE_QUOTA, key)
    if quota is None:
        return []
    hard = mapping(quota, "spec", "hard")
    used: Amounts = Counter()
    for kind in observed.kinds():
        if (what := _resource(kind)) and any(measures(what, name) for name in hard):
            used.update(spent(quota, what, observed.all(kind, key.namespace), observed.now))
    status: Object = {"hard": {**hard}, "used": {name: written(name, used[name]) for name in hard}} if hard else {}
    return [*set_status(quota, status), *soonest(*_ends(observed, key.namespace))]


def _ends(observed: Observed, space: str) -> list[float]:
    """In how many seconds pods that are being deleted stop counting, though they may still be there."""
    due = [ends_at(pod) for pod in observed.all(POD, space)]
    return [when - observed.now + 1 for when in due if when is not None and when >= observed.now]


def _resource(kind: Kind) -> str:
    group, _, version = kind.api_version.rpartition("/")
    found = resource_of(group, version, kind.name)
    return found.group_resource if found else ""


def _of_content(observed: Observed, document: Object) -> list[Key]:
    quotas = observed.all(RESOURCE_QUOTA, namespace(document))
    what = _resource(kind_of(document)) if quotas else ""
    return [key_of(each) for each in quotas if any(measures(what, name) for name in mapping(each, "spec", "hard"))]


def _of_quota(observed: Observed, quota: Object) -> list[Key]:
    """One quota more or less may be what another counts."""
    return [*itself(observed, quota), *_of_content(observed, quota)]


def controller(kinds: Iterable[Kind]) -> Controller:
    """`kinds` are all that a quota may count."""
    concerns: dict[Kind, Concerns] = dict.fromkeys(kinds, _of_content)
    return Controller("resourcequota", {**concerns, RESOURCE_QUOTA: _of_quota}, reconcile)
