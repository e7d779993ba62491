"""What is to be told of a pod's metadata and specification."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from jubako.cluster.types.document import Object, at, integer, mapping, objects, strings, text
from jubako.cluster.types.warning.containers import of_containers, of_ports

_LABELS = {
    **{f"beta.kubernetes.io/{each}": ("1.14", f"kubernetes.io/{each}") for each in ("arch", "os")},
    "beta.kubernetes.io/instance-type": ("1.17", "node.kubernetes.io/instance-type"),
    **{
        f"failure-domain.beta.kubernetes.io/{each}": ("1.17", f"topology.kubernetes.io/{each}")
        for each in ("region", "zone")
    },
}
_SYSCTLS = 'non-functional in v1.11+; use the "sysctls" field instead'
_ANNOTATIONS = {
    "scheduler.alpha.kubernetes.io/critical-pod": (
        'non-functional in v1.16+; use the "priorityClassName" field instead'
    ),
    "security.alpha.kubernetes.io/sysctls": _SYSCTLS,
    "security.alpha.kubernetes.io/unsafe-sysctls": _SYSCTLS,
}
_VOLUMES = {
    "photonPersistentDisk": "deprecated in v1.11, non-functional in v1.16+",
    "gitRepo": "deprecated in v1.11",
    "scaleIO": "deprecated in v1.16, non-functional in v1.22+",
    **dict.fromkeys(("flocker", "storageos", "quobyte"), "deprecated in v1.22, non-functional in v1.25+"),
    "glusterfs": "deprecated in v1.25, non-functional in v1.26+",
    **dict.fromkeys(("cephfs", "rbd"), "deprecated in v1.28, non-functional in v1.31+"),
}
_REQUIRED, _PREFERRED = (f"{each}DuringSchedulingIgnoredDuringExecution" for each in ("required", "preferred"))


def of_template(path: str, template: Object) -> list[str]:
    """`path` is where it stands, with a dot at its end."""
    spec, annotations = mapping(template.get("spec")), strings(at(template, "metadata", "annotations"))
    return [
        *_of_labels(f"{path}spec", spec),
        *(f"{path}metadata.annotations[{key}]: {why}" for key, why in _ANNOTATIONS.items() if key in annotations),
        *_of_volumes(f"{path}spec.volumes", objects(spec.get("volumes"))),
        *_twice(f"{path}spec.hostAliases", objects(spec.get("hostAliases")), "ip"),
        *_of_secrets(f"{path}spec.imagePullSecrets", objects(spec.get("imagePullSecrets"))),
        *of_containers(path, spec, annotations),
        *of_ports(f"{path}spec", spec),
        *_of_grace(f"{path}spec", spec),
    ]


def _of_labels(path: str, spec: Object) -> Iterator[str]:
    for key in mapping(spec.get("nodeSelector")):
        if key in _LABELS:
            yield f"{path}.nodeSelector[{key}]: {_deprecated(key)}"
    where = f"{path}.affinity.nodeAffinity"
    affinity = mapping(at(spec, "affinity", "nodeAffinity"))
    for n, term in enumerate(objects(at(affinity, _REQUIRED, "nodeSelectorTerms"))):
        yield from _of_term(f"{where}.{_REQUIRED}.nodeSelectorTerms[{n}]", term)
    for n, preferred in enumerate(objects(affinity.get(_PREFERRED))):
        yield from _of_term(f"{where}.{_PREFERRED}[{n}].preference", mapping(preferred.get("preference")))
    for n, each in enumerate(objects(spec.get("topologySpreadConstraints"))):
        at_, key = f"{path}.topologySpreadConstraints[{n}]", text(each.get("topologyKey"))
        if key in _LABELS:
            yield f"{at_}.topologyKey: {key} is {_deprecated(key)}"
        if each.get("labelSelector") is None:
            yield f"{at_}.labelSelector: a null labelSelector results in matching no pod"


def _of_term(path: str, term: Object) -> Iterator[str]:
    for n, each in enumerate(objects(term.get("matchExpressions"))):
        if (key := text(each.get("key"))) in _LABELS:
            yield f"{path}.matchExpressions[{n}].key: {key} is {_deprecated(key)}"


def _deprecated(label: str) -> str:
    since, instead = _LABELS[label]
    return f'deprecated since v{since}; use "{instead}" instead'


def _of_volumes(path: str, volumes: list[Object]) -> Iterator[str]:
    for n, volume in enumerate(volumes):
        yield from (f"{path}[{n}].{kind}: {why}" for kind, why in _VOLUMES.items() if volume.get(kind) is not None)


def _of_secrets(path: str, secrets: list[Object]) -> Iterator[str]:
    yield from _twice(path, secrets, "name")
    for n, each in enumerate(secrets):
        if not each.get("name"):
            yield f'{path}[{n}].name: invalid empty name ""'


def _twice(path: str, items: Iterable[Object], field: str) -> Iterator[str]:
    seen: set[str] = set()
    for n, item in enumerate(items):
        if (value := text(item.get(field))) in seen:
            yield f'{path}[{n}].{field}: duplicate {field} "{value}"'
        seen.add(value)


def _of_grace(path: str, spec: Object) -> Iterator[str]:
    if integer(spec.get("terminationGracePeriodSeconds")) < 0:
        why = "must be >= 0; negative values are invalid and will be treated as 1"
        yield f"{path}.terminationGracePeriodSeconds: {why}"
