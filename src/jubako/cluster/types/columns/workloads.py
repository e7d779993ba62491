"""The rows of what makes pods."""

from __future__ import annotations

from datetime import datetime

from jubako.cluster.types.columns.ages import age, human, moment
from jubako.cluster.types.columns.model import NONE, Columns, condition, containers, created, labels, name, selector
from jubako.cluster.types.columns.model import true_or_false as shown
from jubako.cluster.types.document import JSON, Object, array, at, integer, mapping, text

_WIDE = ("Containers+", "Images+", "Selector+")
# The conditions of a job that name its status, the most telling first; a deletion stands after the ends.
_JOB_ENDS = (("Complete", "Complete"), ("Failed", "Failed"))
_JOB_TURNS = (
    ("Suspended", "Suspended"),
    ("FailureTarget", "FailureTarget"),
    ("SuccessCriteriaMet", "SuccessCriteriaMet"),
)


def _status(document: Object, *fields: str) -> list[JSON]:
    return [integer(at(document, "status", field)) for field in fields]


def _wide(document: Object) -> list[JSON]:
    spec = document.get("spec")
    return [*containers(at(spec, "template")), selector(at(spec, "selector"))]


def _of_desired(document: Object) -> str:
    return f"{integer(at(document, 'status', 'readyReplicas'))}/{integer(at(document, 'spec', 'replicas'))}"


def _deployment(document: Object, now: datetime) -> list[JSON]:
    counts = _status(document, "updatedReplicas", "availableReplicas")
    return [name(document), _of_desired(document), *counts, created(document, now), *_wide(document)]


def _replica_set(document: Object, now: datetime) -> list[JSON]:
    counts = _status(document, "replicas", "readyReplicas")
    desired = integer(at(document, "spec", "replicas"))
    return [name(document), desired, *counts, created(document, now), *_wide(document)]


def _replication_controller(document: Object, now: datetime) -> list[JSON]:
    return [*_replica_set(document, now)[:-1], labels(at(document, "spec", "selector"))]


def _scale(document: Object, now: datetime) -> list[JSON]:
    counts: list[JSON] = [integer(at(document, part, "replicas")) for part in ("spec", "status")]
    return [name(document), *counts, created(document, now)]


def _daemon_set(document: Object, now: datetime) -> list[JSON]:
    counts = _status(document, "desiredNumberScheduled", "currentNumberScheduled", "numberReady")
    counts += _status(document, "updatedNumberScheduled", "numberAvailable")
    nodes = labels(at(document, "spec", "template", "spec", "nodeSelector"))
    return [name(document), *counts, nodes, created(document, now), *_wide(document)]


def _stateful_set(document: Object, now: datetime) -> list[JSON]:
    return [
        name(document),
        _of_desired(document),
        created(document, now),
        *containers(at(document, "spec", "template")),
    ]


def _job(document: Object, now: datetime) -> list[JSON]:
    cells: list[JSON] = [name(document), _job_status(document), _completions(document), _duration(document, now)]
    return [*cells, created(document, now), *_wide(document)]


def _job_status(document: Object) -> str:
    for kind, word in _JOB_ENDS:
        if condition(document, kind) == "True":
            return word
    if at(document, "metadata", "deletionTimestamp"):
        return "Terminating"
    return next((word for kind, word in _JOB_TURNS if condition(document, kind) == "True"), "Running")


def _completions(document: Object) -> str:
    succeeded = integer(at(document, "status", "succeeded"))
    completions, parallelism = at(document, "spec", "completions"), integer(at(document, "spec", "parallelism"))
    if completions is not None:
        return f"{succeeded}/{integer(completions)}"
    return f"{succeeded}/1 of {parallelism}" if parallelism > 1 else f"{succeeded}/1"


def _duration(document: Object, now: datetime) -> str:
    started, ended = (moment(at(document, "status", field)) for field in ("startTime", "completionTime"))
    return human(((ended or now) - started).total_seconds()) if started else ""


def _cron_job(document: Object, now: datetime) -> list[JSON]:
    spec, status = mapping(document.get("spec")), mapping(document.get("status"))
    last = status.get("lastScheduleTime")
    zone = text(spec.get("timeZone")) or NONE
    template = at(spec, "jobTemplate", "spec")
    return [
        *(name(document), text(spec.get("schedule")), zone, shown(spec.get("suspend"))),
        *(len(array(status.get("active"))), age(last, now) if last else NONE, created(document, now)),
        *(*containers(at(template, "template")), selector(at(template, "selector"))),
    ]


def _controller_revision(document: Object, now: datetime) -> list[JSON]:
    owners = (mapping(each) for each in array(at(document, "metadata", "ownerReferences")))
    owner = next((each for each in owners if each.get("controller")), {})
    group = text(owner.get("apiVersion")).rpartition("/")[0]
    kind = text(owner.get("kind")).lower() + (f".{group}" if group else "")
    controller = f"{kind}/{text(owner.get('name'))}" if owner else NONE
    return [name(document), controller, integer(document.get("revision")), created(document, now)]


_COUNTS = ("Desired:integer", "Current:integer", "Ready:integer")
_UPDATED = ("Up-to-date:integer", "Available:integer")
_CRON = ("Name", "Schedule", "Timezone", "Suspend:boolean", "Active:integer", "Last Schedule", "Age", *_WIDE)
COLUMNS = {
    "apps/v1.ControllerRevision": Columns(("Name", "Controller", "Revision:integer", "Age"), _controller_revision),
    "apps/v1.DaemonSet": Columns(("Name", *_COUNTS, *_UPDATED, "Node Selector", "Age", *_WIDE), _daemon_set),
    "apps/v1.Deployment": Columns(("Name", "Ready", *_UPDATED, "Age", *_WIDE), _deployment),
    "apps/v1.ReplicaSet": Columns(("Name", *_COUNTS, "Age", *_WIDE), _replica_set),
    "apps/v1.StatefulSet": Columns(("Name", "Ready", "Age", "Containers+", "Images+"), _stateful_set),
    "autoscaling/v1.Scale": Columns(("Name", "Desired:integer", "Available:integer", "Age"), _scale),
    "batch/v1.CronJob": Columns(_CRON, _cron_job),
    "batch/v1.Job": Columns(("Name", "Status", "Completions", "Duration", "Age", *_WIDE), _job),
    "core/v1.ReplicationController": Columns(("Name", *_COUNTS, "Age", *_WIDE), _replication_controller),
}
