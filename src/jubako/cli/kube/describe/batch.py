"""Jobs and CronJobs."""

from __future__ import annotations

from collections.abc import Sequence

from jubako.cli.kube.describe.events import write_events
from jubako.cli.kube.describe.sheet import Sheet, date, plain, selector, truth
from jubako.cli.kube.describe.templates import write_template
from jubako.cluster.types.columns.ages import human, moment
from jubako.cluster.types.document import Object, at, integer, mapping, objects, text

_MOST_INDEXES = 50


def job(sheet: Sheet, document: Object, events: Sequence[Object]) -> None:
    spec, status = mapping(document.get("spec")), mapping(document.get("status"))
    sheet.head(document)
    sheet.line(0, "Selector:", selector(spec.get("selector")))
    sheet.marks(document)
    sheet.controlled(document)
    if "parallelism" in spec:
        sheet.line(0, "Parallelism:", plain(spec["parallelism"]))
    sheet.line(0, "Completions:", plain(spec.get("completions"), "<unset>"))
    for title, field in (
        ("Completion Mode:", "completionMode"),
        ("Suspend:", "suspend"),
        ("Backoff Limit:", "backoffLimit"),
        ("TTL Seconds After Finished:", "ttlSecondsAfterFinished"),
    ):
        if spec.get(field) is not None:
            sheet.line(0, title, plain(spec[field]))
    _times(sheet, status)
    if spec.get("activeDeadlineSeconds") is not None:
        sheet.line(0, "Active Deadline Seconds:", f"{plain(spec['activeDeadlineSeconds'])}s")
    active, succeeded, failed = (integer(status.get(name)) for name in ("active", "succeeded", "failed"))
    ready = f" ({plain(status['ready'])} Ready)" if status.get("ready") is not None else ""
    sheet.line(0, "Pods Statuses:", f"{active} Active{ready} / {succeeded} Succeeded / {failed} Failed")
    if spec.get("completionMode") == "Indexed":
        sheet.line(0, "Completed Indexes:", _indexes(text(status.get("completedIndexes"))))
    write_template(sheet, mapping(spec.get("template")))
    write_events(sheet, events)


def _times(sheet: Sheet, status: Object) -> None:
    started, ended = moment(status.get("startTime")), moment(status.get("completionTime"))
    if started:
        sheet.line(0, "Start Time:", date(status.get("startTime")))
    if ended:
        sheet.line(0, "Completed At:", date(status.get("completionTime")))
    if started and ended:
        sheet.line(0, "Duration:", human((ended - started).total_seconds()))


def _indexes(indexes: str) -> str:
    cut = indexes.find(",", _MOST_INDEXES)
    return f"{indexes[: cut + 1]}..." if cut >= 0 else indexes or "<none>"


def cron_job(sheet: Sheet, document: Object, events: Sequence[Object]) -> None:
    spec = mapping(document.get("spec"))
    sheet.head(document)
    sheet.marks(document)
    sheet.line(0, "Schedule:", text(spec.get("schedule")))
    sheet.line(0, "Concurrency Policy:", text(spec.get("concurrencyPolicy")))
    sheet.line(0, "Suspend:", truth(spec["suspend"]) if spec.get("suspend") is not None else "<unset>")
    sheet.line(0, "Successful Job History Limit:", plain(spec.get("successfulJobsHistoryLimit"), "<unset>"))
    sheet.line(0, "Failed Job History Limit:", plain(spec.get("failedJobsHistoryLimit"), "<unset>"))
    deadline = spec.get("startingDeadlineSeconds")
    sheet.line(0, "Starting Deadline Seconds:", f"{plain(deadline)}s" if deadline is not None else "<unset>")
    inner = mapping(at(spec, "jobTemplate", "spec"))
    sheet.line(0, "Selector:", selector(inner["selector"]) if inner.get("selector") else "<unset>")
    sheet.line(0, "Parallelism:", plain(inner.get("parallelism"), "<unset>"))
    sheet.line(0, "Completions:", plain(inner.get("completions"), "<unset>"))
    if inner.get("activeDeadlineSeconds") is not None:
        sheet.line(0, "Active Deadline Seconds:", f"{plain(inner['activeDeadlineSeconds'])}s")
    write_template(sheet, mapping(inner.get("template")))
    last = at(document, "status", "lastScheduleTime")
    sheet.line(0, "Last Schedule Time:", date(last) if last else "<unset>")
    active = [text(each.get("name")) for each in objects(at(document, "status", "active"))]
    sheet.line(0, "Active Jobs:", ", ".join(active) or "<none>")
    write_events(sheet, events)
