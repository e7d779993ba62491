"""One item of a LimitRange against what is asked for: each complaint in Kubernetes' words.

Spec: kubernetes/plugin/pkg/admission/limitranger, PodValidateLimitFunc.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from jubako.cluster.types.document import Object, strings
from jubako.cluster.types.quantity import NANO, Quantity

_Amounts = Mapping[str, str]


def of_containers(kind: str, item: Object, requests: _Amounts, limits: _Amounts) -> Iterator[str]:
    """Compare requests and limits of a container, or of a pod in all."""
    for name, least in sorted(strings(item.get("min")).items()):
        given = (("request", requests.get(name)), ("limit", limits.get(name)))
        yield from _beyond(f"minimum {name} usage per {kind} is {least}", "request", given, least, is_least=True)
    for name, most in sorted(strings(item.get("max")).items()):
        given = (("limit", limits.get(name)), ("request", requests.get(name)))
        yield from _beyond(f"maximum {name} usage per {kind} is {most}", "limit", given, most, is_least=False)
    for name, ratio in sorted(strings(item.get("maxLimitRequestRatio")).items()):
        lead = f"{name} max limit to request ratio per {kind} is {ratio}"
        yield from _ratio(lead, ratio, requests.get(name, "0"), limits.get(name, "0"))


def of_claim(item: Object, requests: _Amounts) -> Iterator[str]:
    for field, word in (("min", "minimum"), ("max", "maximum")):
        for name, bound in sorted(strings(item.get(field)).items()):
            lead = f"{word} {name} usage per PersistentVolumeClaim is {bound}"
            given = (("request", requests.get(name)),)
            yield from _beyond(lead, "request", given, bound, is_least=field == "min")


def _beyond(
    lead: str, needed: str, given: tuple[tuple[str, str | None], ...], bound: str, *, is_least: bool
) -> Iterator[str]:
    """Tell of the first amount that is missing though needed, or beyond the bound."""
    amounts = {word: amount for word, amount in given if amount is not None}
    if needed not in amounts:
        yield f"{lead}.  No {needed} is specified"
        return
    limit = Quantity.parse(bound)
    for word, amount in amounts.items():
        found = Quantity.parse(amount)
        if found < limit if is_least else found > limit:
            yield f"{lead}, but {word} is {amount}"
            return


def _ratio(lead: str, ratio: str, request: str, limit: str) -> Iterator[str]:
    requested, limited = Quantity.parse(request), Quantity.parse(limit)
    for word, amount in (("request", requested), ("limit", limited)):
        if not amount:
            yield f"{lead}, but no {word} is specified or {word} is 0"
            return
    if limited.nanos * NANO > Quantity.parse(ratio).nanos * requested.nanos:
        yield f"{lead}, but provided ratio is {limited.nanos / requested.nanos:f}"
