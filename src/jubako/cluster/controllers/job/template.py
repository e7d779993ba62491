"""The pods that a Job makes."""

from __future__ import annotations

from jubako.cluster.controllers.job.indexes import INDEX, is_indexed
from jubako.cluster.controllers.job.retries import FAILURES
from jubako.cluster.controllers.job.tally import FINALIZER
from jubako.cluster.controllers.pods import from_template
from jubako.cluster.objects import Object, annotated, finalizers, labels, listed, mapping, name, objects, put, text, uid

_ENV = "JOB_COMPLETION_INDEX"


def made(job: Object, index: int | None, failures: int | None = None) -> Object:
    """Return a pod of a Job, of an index when it is indexed, that tells how often that has failed when it counts."""
    prefix = f"{name(job)}-" if index is None else f"{name(job)}-{index}-"
    pod = from_template(mapping(job, "spec", "template"), job, generate=prefix)
    pod = put(pod, {**_labels(job), **labels(pod)}, "metadata", "labels")
    pod = put(pod, listed([*finalizers(pod), FINALIZER]), "metadata", "finalizers")
    if failures is not None:
        pod = put(pod, str(failures), "metadata", "annotations", FAILURES)
    return pod if index is None or not is_indexed(job) else _indexed(job, pod, index)


def _labels(job: Object) -> dict[str, str]:
    named = {"job-name": name(job), "controller-uid": uid(job)}
    return named | {f"batch.kubernetes.io/{key}": value for key, value in named.items()}


def _indexed(job: Object, pod: Object, index: int) -> Object:
    pod = put(pod, {**annotated(pod), INDEX: str(index)}, "metadata", "annotations")
    pod = put(pod, {**labels(pod), INDEX: str(index)}, "metadata", "labels")
    pod = put(pod, f"{name(job)}-{index}", "spec", "hostname")
    for field in ("initContainers", "containers"):
        if containers := objects(pod, "spec", field):
            pod = put(pod, listed([_with_index(each) for each in containers]), "spec", field)
    return pod


def _with_index(container: Object) -> Object:
    known = objects(container, "env")
    if any(text(each, "name") == _ENV for each in known):
        return container
    source: Object = {"fieldRef": {"apiVersion": "v1", "fieldPath": f"metadata.annotations['{INDEX}']"}}
    own: Object = {"name": _ENV, "valueFrom": source}
    return {**container, "env": listed([*known, own])}
