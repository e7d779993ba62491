"""Controls of volumes. Spec: "Pod Security Standards", Baseline: HostPath Volumes; Restricted: Volume Types."""

from __future__ import annotations

from jubako.cluster.apiserver.podsecurity.pod import Pod, Violation, plural, quoted
from jubako.cluster.types.document import objects, text

_ALLOWED = (
    "configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "image", "persistentVolumeClaim", "projected",
    "secret",
)  # fmt: skip


def host_paths(pod: Pod) -> Violation | None:
    volumes = objects(pod.spec.get("volumes"))
    bad = [text(each.get("name")) for each in volumes if each.get("hostPath") is not None]
    return Violation("hostPath volumes", f"{plural('volume', len(bad))} {quoted(bad)}") if bad else None


def restricted_volumes(pod: Pod) -> Violation | None:
    volumes = objects(pod.spec.get("volumes"))
    bad = [each for each in volumes if all(each.get(kind) is None for kind in _ALLOWED)]
    if not bad:
        return None
    names = [text(each.get("name")) for each in bad]
    kinds = sorted({kind for each in bad for kind in each if kind != "name"})
    verb, what = "uses" if len(bad) == 1 else "use", plural("restricted volume type", len(kinds))
    told = f"{plural('volume', len(bad))} {quoted(names)} {verb} {what} {quoted(kinds)}"
    return Violation("restricted volume types", told)
