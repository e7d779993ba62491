"""Checks of what makes pods and keeps them: Deployments, ReplicaSets, DaemonSets, StatefulSets and their revisions."""

from __future__ import annotations

from jubako.cluster.types.document import JSON, Object, integer, mapping, objects, strings, text
from jubako.cluster.types.selection import matches
from jubako.cluster.types.validation.errors import Errors
from jubako.cluster.types.validation.fields import int_or_percent, not_negative_each
from jubako.cluster.types.validation.metadata import check_selector
from jubako.cluster.types.validation.pods.spec import check_template

_STATEFUL_MUTABLE = ("replicas", "ordinals", "template", "updateStrategy", "persistentVolumeClaimRetentionPolicy")
_STATEFUL_REFUSAL = (
    "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', "
    "'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden"
)


def _checked_template(errors: Errors, spec: Object, what: str) -> None:
    """Check the selector of a set of pods, and that its template makes pods that it selects and that run forever."""
    selector = spec.get("selector")
    template = mapping(spec.get("template"))
    if selector is None:
        errors.required("spec.selector")
    else:
        check_selector(errors, "spec.selector", selector)
        if not mapping(selector).get("matchLabels") and not mapping(selector).get("matchExpressions"):
            errors.invalid("spec.selector", selector, f"empty selector is invalid for {what}")
        elif not matches(selector, strings(mapping(template.get("metadata")).get("labels"))):
            labels: JSON = mapping(template.get("metadata")).get("labels")
            errors.invalid("spec.template.metadata.labels", labels, "`selector` does not match template `labels`")
    check_template(errors, "spec.template", template)
    pod = mapping(template.get("spec"))
    if pod.get("restartPolicy") not in (None, "", "Always"):
        errors.unsupported("spec.template.spec.restartPolicy", pod.get("restartPolicy"), ("Always",))
    if pod.get("activeDeadlineSeconds") is not None:
        errors.forbidden(
            "spec.template.spec.activeDeadlineSeconds", "activeDeadlineSeconds in ReplicaSet is not Supported"
        )


def deployment(errors: Errors, document: Object) -> None:
    spec = mapping(document.get("spec"))
    not_negative_each(
        errors, "spec", spec, ("replicas", "minReadySeconds", "revisionHistoryLimit", "progressDeadlineSeconds")
    )
    _checked_template(errors, spec, "deployment")
    deadline, ready = spec.get("progressDeadlineSeconds"), integer(spec.get("minReadySeconds"))
    if deadline is not None and integer(deadline) <= ready:
        errors.invalid("spec.progressDeadlineSeconds", deadline, "must be greater than minReadySeconds")
    strategy = mapping(spec.get("strategy"))
    if strategy.get("type") == "Recreate" and strategy.get("rollingUpdate") is not None:
        detail = "may not be specified when strategy `type` is 'Recreate'"
        errors.forbidden("spec.strategy.rollingUpdate", detail)
    elif strategy.get("type") == "RollingUpdate":
        _rolling(errors, "spec.strategy.rollingUpdate", strategy.get("rollingUpdate"))


def _rolling(errors: Errors, path: str, rolling: JSON) -> None:
    if rolling is None:
        errors.required(path, "this should be defaulted and never be nil")
        return
    unavailable, surge = mapping(rolling).get("maxUnavailable"), mapping(rolling).get("maxSurge")
    int_or_percent(errors, f"{path}.maxUnavailable", unavailable, most_percent=100)
    int_or_percent(errors, f"{path}.maxSurge", surge)
    if _is_zero(unavailable) and _is_zero(surge):
        errors.invalid(f"{path}.maxUnavailable", unavailable, "may not be 0 when `maxSurge` is 0")


def _is_zero(value: JSON) -> bool:
    return value in (None, 0) or (isinstance(value, str) and value.strip("0") == "%")


def same_selector(errors: Errors, document: Object, old: Object) -> None:
    """Which pods are its own never changes."""
    selector, was = (mapping(each.get("spec")).get("selector") for each in (document, old))
    errors.unchanged("spec.selector", selector, was)


def replica_set(errors: Errors, document: Object) -> None:
    spec = mapping(document.get("spec"))
    not_negative_each(errors, "spec", spec, ("replicas", "minReadySeconds"))
    _checked_template(errors, spec, "deployment")


def replication_controller(errors: Errors, document: Object) -> None:
    spec = mapping(document.get("spec"))
    not_negative_each(errors, "spec", spec, ("replicas", "minReadySeconds"))
    selector: Object = {"matchLabels": spec["selector"]} if spec.get("selector") else {}
    _checked_template(errors, {**spec, "selector": selector or None}, "replicationcontroller")


def daemon_set(errors: Errors, document: Object) -> None:
    spec = mapping(document.get("spec"))
    not_negative_each(errors, "spec", spec, ("minReadySeconds", "revisionHistoryLimit"))
    _checked_template(errors, spec, "daemonset")
    strategy = mapping(spec.get("updateStrategy"))
    if strategy.get("type") != "RollingUpdate":
        return
    path, rolling = "spec.updateStrategy.rollingUpdate", mapping(strategy.get("rollingUpdate"))
    unavailable, surge = rolling.get("maxUnavailable"), rolling.get("maxSurge")
    int_or_percent(errors, f"{path}.maxUnavailable", unavailable, most_percent=100)
    int_or_percent(errors, f"{path}.maxSurge", surge, most_percent=100)
    if _is_zero(unavailable) and _is_zero(surge):
        errors.required(f"{path}.maxUnavailable", "cannot be 0 when maxSurge is 0")
    elif not _is_zero(unavailable) and not _is_zero(surge):
        errors.invalid(f"{path}.maxSurge", surge, "may not be set when maxUnavailable is non-zero")


def stateful_set(errors: Errors, document: Object) -> None:
    spec = mapping(document.get("spec"))
    not_negative_each(errors, "spec", spec, ("replicas", "minReadySeconds", "revisionHistoryLimit"))
    _checked_template(errors, _with_claims(spec), "statefulset")
    if not spec.get("podManagementPolicy"):
        errors.required("spec.podManagementPolicy")
    strategy = mapping(spec.get("updateStrategy"))
    if strategy.get("type") == "OnDelete" and strategy.get("rollingUpdate") is not None:
        detail = "only allowed for updateStrategy 'RollingUpdate'"
        errors.invalid("spec.updateStrategy.rollingUpdate", strategy["rollingUpdate"], detail)
    rolling = mapping(strategy.get("rollingUpdate"))
    not_negative_each(errors, "spec.updateStrategy.rollingUpdate", rolling, ("partition",))
    if (unavailable := rolling.get("maxUnavailable")) is not None:
        path = "spec.updateStrategy.rollingUpdate.maxUnavailable"
        int_or_percent(errors, path, unavailable, most_percent=100)
        if _is_zero(unavailable):
            errors.invalid(path, unavailable, "cannot be 0")
    not_negative_each(errors, "spec.ordinals", mapping(spec.get("ordinals")), ("start",))


def _with_claims(spec: Object) -> Object:
    """Return the specification with a volume for each claim: pods mount those by the names of the claims."""
    template = mapping(spec.get("template"))
    pod = mapping(template.get("spec"))
    names = [text(mapping(claim.get("metadata")).get("name")) for claim in objects(spec.get("volumeClaimTemplates"))]
    claims: list[JSON] = [{"name": name, "persistentVolumeClaim": {"claimName": name}} for name in names]
    others: list[JSON] = [volume for volume in objects(pod.get("volumes")) if volume.get("name") not in names]
    return {**spec, "template": {**template, "spec": {**pod, "volumes": [*others, *claims]}}}


def stateful_set_update(errors: Errors, document: Object, old: Object) -> None:
    specs = [mapping(each.get("spec")) for each in (document, old)]
    mutable = (*_STATEFUL_MUTABLE, "minReadySeconds")
    kept = [{name: value for name, value in spec.items() if name not in mutable} for spec in specs]
    if kept[0] != kept[1]:
        errors.forbidden("spec", _STATEFUL_REFUSAL)


def controller_revision(errors: Errors, document: Object) -> None:
    if document.get("data") is None:
        errors.required("data", "data is mandatory")
    not_negative_each(errors, "", document, ("revision",))


def controller_revision_update(errors: Errors, document: Object, old: Object) -> None:
    errors.unchanged("data", document.get("data"), old.get("data"))
