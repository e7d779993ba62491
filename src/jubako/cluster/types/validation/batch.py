"""Checks of Jobs and CronJobs."""

from __future__ import annotations

from jubako.cluster.types.document import JSON, Object, mapping, objects, strings, text
from jubako.cluster.types.schedule import parse
from jubako.cluster.types.selection import matches
from jubako.cluster.types.validation.errors import Errors
from jubako.cluster.types.validation.fields import not_negative_each
from jubako.cluster.types.validation.metadata import check_selector
from jubako.cluster.types.validation.pods.spec import check_template
from jubako.errors import InvalidArgument

_COUNTS = ("parallelism", "completions", "backoffLimit", "backoffLimitPerIndex", "maxFailedIndexes")
_TIMES = ("activeDeadlineSeconds", "ttlSecondsAfterFinished")
_FIXED = ("selector", "completionMode", "podFailurePolicy", "backoffLimitPerIndex", "successPolicy", "managedBy")
# What of a template may change while a suspended job has not begun.
_DIRECTIVES = ("affinity", "nodeSelector", "schedulingGates", "tolerations")
_CRON_JOB_NAME_LENGTH = 52


def job(errors: Errors, document: Object) -> None:
    spec = mapping(document.get("spec"))
    job_spec(errors, "spec", spec)
    selector = spec.get("selector")
    if selector is None:
        errors.required("spec.selector")
        return
    check_selector(errors, "spec.selector", selector)
    labels: JSON = mapping(mapping(spec.get("template")).get("metadata")).get("labels")
    if not matches(selector, strings(labels)):
        errors.invalid("spec.template.metadata.labels", labels, "`selector` does not match template `labels`")


def job_spec(errors: Errors, path: str, spec: Object) -> None:
    not_negative_each(errors, path, spec, (*_COUNTS, *_TIMES))
    mode, completions = text(spec.get("completionMode")), spec.get("completions")
    if mode == "Indexed" and completions is None:
        errors.required(f"{path}.completions", "when completion mode is Indexed")
    if mode != "Indexed" and spec.get("backoffLimitPerIndex") is not None:
        detail = "requires indexed completion mode"
        errors.invalid(f"{path}.backoffLimitPerIndex", spec.get("backoffLimitPerIndex"), detail)
    check_template(errors, f"{path}.template", mapping(spec.get("template")))
    _restarts(errors, f"{path}.template.spec.restartPolicy", spec)
    for n, rule in enumerate(objects(mapping(spec.get("podFailurePolicy")).get("rules"))):
        _failure_rule(errors, f"{path}.podFailurePolicy.rules[{n}]", rule)


def _restarts(errors: Errors, path: str, spec: Object) -> None:
    policy = text(mapping(mapping(spec.get("template")).get("spec")).get("restartPolicy"))
    if policy == "Always":
        errors.required(path, 'valid values: "OnFailure", "Never"')
    elif policy not in ("OnFailure", "Never"):
        errors.unsupported(path, policy, ("OnFailure", "Never"))
    elif spec.get("podFailurePolicy") is not None and policy != "Never":
        errors.invalid(path, policy, 'only "Never" is supported when podFailurePolicy is specified')


def _failure_rule(errors: Errors, path: str, rule: Object) -> None:
    codes, conditions = rule.get("onExitCodes"), rule.get("onPodConditions")
    if codes is None and not conditions:
        errors.invalid(path, dict(rule), "specifying one of OnExitCodes and OnPodConditions is required")
    elif codes is not None and conditions:
        errors.invalid(path, dict(rule), "specifying both OnExitCodes and OnPodConditions is not supported")
    if not rule.get("action"):
        errors.required(f"{path}.action", 'valid values: "Count", "FailIndex", "FailJob", "Ignore"')


def job_update(errors: Errors, document: Object, old: Object) -> None:
    spec, was = mapping(document.get("spec")), mapping(old.get("spec"))
    for name in _FIXED:
        errors.unchanged(f"spec.{name}", spec.get(name), was.get(name))
    elastic = spec.get("completionMode") == "Indexed" and spec.get("completions") == spec.get("parallelism")
    if not elastic:
        errors.unchanged("spec.completions", spec.get("completions"), was.get("completions"))
    begun = mapping(old.get("status")).get("startTime") is not None
    template, before = mapping(spec.get("template")), mapping(was.get("template"))
    if was.get("suspend") and not begun:
        template, before = _without_directives(template), _without_directives(before)
    errors.unchanged("spec.template", template, before)


def _without_directives(template: Object) -> Object:
    pod = {name: value for name, value in mapping(template.get("spec")).items() if name not in _DIRECTIVES}
    fixed = {
        name: value
        for name, value in mapping(template.get("metadata")).items()
        if name not in ("labels", "annotations")
    }
    return {**template, "metadata": fixed, "spec": pod}


def cron_job(errors: Errors, document: Object) -> None:
    spec = mapping(document.get("spec"))
    name = text(mapping(document.get("metadata")).get("name"))
    if len(name) > _CRON_JOB_NAME_LENGTH:
        errors.invalid("metadata.name", name, f"must be no more than {_CRON_JOB_NAME_LENGTH} characters")
    job_spec(errors, "spec.jobTemplate.spec", mapping(mapping(spec.get("jobTemplate")).get("spec")))
    given = text(spec.get("schedule"))
    if not given:
        errors.required("spec.schedule")
    elif "TZ=" in given:
        errors.invalid("spec.schedule", given, "cannot use TZ or CRON_TZ in schedule, use timeZone field instead")
    else:
        _schedule(errors, given)
    if spec.get("timeZone") is not None:
        _zone(errors, text(spec.get("timeZone")))
    limits = ("startingDeadlineSeconds", "successfulJobsHistoryLimit", "failedJobsHistoryLimit")
    not_negative_each(errors, "spec", spec, limits)


def _schedule(errors: Errors, given: str) -> None:
    try:
        parse(given)
    except InvalidArgument as error:
        errors.invalid("spec.schedule", given, error.message)


def _zone(errors: Errors, name: str) -> None:
    if not name:
        errors.invalid("spec.timeZone", name, "timeZone must be nil or non-empty string")
        return
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    try:
        known = name != "Local" and bool(ZoneInfo(name))
    except (ZoneInfoNotFoundError, ValueError, OSError):
        known = False
    if not known:
        errors.invalid("spec.timeZone", name, f"unknown time zone {name}")
