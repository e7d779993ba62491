"""Defaults of what makes pods that depend on other fields: strategies, and how a job counts."""

from __future__ import annotations

from jubako.cluster.types.document import Object, child, mapping

_UNLIMITED = 2**31 - 1
_DEFAULT_BACKOFF_LIMIT = 6


def deployment_strategy(strategy: Object) -> None:
    if _is_rolling(strategy):
        rolling = child(strategy, "rollingUpdate")
        rolling.setdefault("maxUnavailable", "25%")
        rolling.setdefault("maxSurge", "25%")


def daemon_set_strategy(strategy: Object) -> None:
    if _is_rolling(strategy):
        rolling = child(strategy, "rollingUpdate")
        rolling.setdefault("maxUnavailable", 1)
        rolling.setdefault("maxSurge", 0)


def stateful_set_strategy(strategy: Object) -> None:
    # Only a strategy of which nothing is said gets the whole of it; a given type may stand alone.
    if not strategy.get("type"):
        child(strategy, "rollingUpdate")


def _is_rolling(strategy: Object) -> bool:
    return strategy.get("type") in (None, "", "RollingUpdate")


def job(of: Object) -> None:
    spec = child(of, "spec")
    if spec.get("completions") is None and spec.get("parallelism") is None:
        spec["completions"] = 1
    spec.setdefault("parallelism", 1)
    spec.setdefault("backoffLimit", _DEFAULT_BACKOFF_LIMIT if spec.get("backoffLimitPerIndex") is None else _UNLIMITED)
    spec.setdefault("completionMode", "NonIndexed")
    spec.setdefault("suspend", False)
    failing = spec.get("podFailurePolicy") is not None
    spec.setdefault("podReplacementPolicy", "Failed" if failing else "TerminatingOrFailed")
    _labels_of_template(child(of, "metadata"), "labels", spec)


def replication_controller(of: Object) -> None:
    """It selects the pods of its template, and is labelled like them, unless it says otherwise."""
    spec = child(of, "spec")
    _labels_of_template(spec, "selector", spec)
    _labels_of_template(child(of, "metadata"), "labels", spec)


def _labels_of_template(where: Object, name: str, spec: Object) -> None:
    labels = mapping(mapping(mapping(spec.get("template")).get("metadata")).get("labels"))
    if labels and not where.get(name):
        where[name] = dict(labels)
