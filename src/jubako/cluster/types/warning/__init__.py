"""What may be stored, and is all the same hardly what was meant: told with the answer, in Kubernetes' words.

specs    the specification of a pod, wherever it stands
Spec:    k8s.io/kubernetes/pkg/api/pod/warnings.go, as of 1.32; "Warning: Helpful Warnings Ahead".
"""

from __future__ import annotations

from jubako.cluster.types.document import Object, at, mapping, text
from jubako.cluster.types.validation.names import dns_label
from jubako.cluster.types.warning.specs import of_template

_TEMPLATES = {
    "CronJob": ("spec", "jobTemplate", "spec", "template"),
    "PodTemplate": ("template",),
    **dict.fromkeys(("DaemonSet", "Deployment", "Job", "ReplicaSet", "StatefulSet"), ("spec", "template")),
    "ReplicationController": ("spec", "template"),
}
_NAMES = {
    "Pod": "the Pod's hostname",
    **dict.fromkeys(("CronJob", "Deployment", "ReplicaSet"), "Pod names and hostnames"),
}
_OLD_CLASS = "volume.beta.kubernetes.io/storage-class"


def warnings(kind: str, document: Object, old: Object | None) -> list[str]:
    """Return what is to be told of an object that is new, or that takes the place of `old`."""
    found = _of_name(kind, text(at(document, "metadata", "name"))) if old is None else []
    if kind == "Pod" and old is None:
        found += of_template("", document)
    if path := _TEMPLATES.get(kind):
        template = mapping(at(document, *path))
        if old is None or template != at(old, *path):
            found += of_template(".".join(path) + ".", template)
    if kind == "PersistentVolumeClaim" and _OLD_CLASS in mapping(at(document, "metadata", "annotations")):
        use = 'deprecated since v1.8; use "storageClassName" attribute instead'
        found.append(f"metadata.annotations[{_OLD_CLASS}]: {use}")
    return found


def _of_name(kind: str, name: str) -> list[str]:
    """A name that is good for an object may be none for a host."""
    wrong = dns_label(name) if kind in _NAMES else []
    if not wrong:
        return []
    why = "which can result in surprising behavior; a DNS label is recommended"
    return [f"metadata.name: this is used in {_NAMES[kind]}, {why}: [{' '.join(wrong)}]"]
