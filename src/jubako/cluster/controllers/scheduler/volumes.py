"""Which claims of a pod stand in the way of its node, and which wait for it to have one.

Spec: kubernetes/pkg/scheduler/framework/plugins/volumebinding.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from jubako.cluster.controllers.kinds import PERSISTENT_VOLUME, PERSISTENT_VOLUME_CLAIM, STORAGE_CLASS, Key
from jubako.cluster.controllers.observed import Observed
from jubako.cluster.controllers.scheduler.affinity import selects_node
from jubako.cluster.objects import Object, annotated, at, is_deleting, mapping, name, namespace, objects, text

SELECTED_NODE = "volume.kubernetes.io/selected-node"
BIND_COMPLETED = "pv.kubernetes.io/bind-completed"


@dataclass
class Claims:
    """`obstacle` keeps the pod from every node; `waiting` are claims that are bound once a node is chosen."""

    obstacle: str = ""
    waiting: list[Object] = field(default_factory=list)
    volumes: list[Object] = field(default_factory=list)


def claim_names(pod: Object) -> list[str]:
    """The names of the claims that a pod uses, those made for it by its ephemeral volumes too."""
    found = []
    for volume in objects(pod, "spec", "volumes"):
        if claim := text(volume, "persistentVolumeClaim", "claimName"):
            found.append(claim)
        elif "ephemeral" in volume:
            found.append(f"{name(pod)}-{text(volume, 'name')}")
    return found


def claims(observed: Observed, pod: Object) -> Claims:
    found = Claims()
    for claim_name in claim_names(pod):
        claim = observed.get(PERSISTENT_VOLUME_CLAIM, Key(namespace(pod), claim_name))
        if claim is None:
            return Claims(f'persistentvolumeclaim "{claim_name}" not found')
        if is_deleting(claim):
            return Claims(f'persistentvolumeclaim "{claim_name}" is being deleted')
        volume = text(claim, "spec", "volumeName")
        if volume and BIND_COMPLETED in annotated(claim):
            if (known := observed.get(PERSISTENT_VOLUME, Key("", volume))) is not None:
                found.volumes.append(known)
        elif is_delayed(observed, claim):
            found.waiting.append(claim)
        else:
            return Claims("pod has unbound immediate PersistentVolumeClaims")
    return found


def is_delayed(observed: Observed, claim: Object) -> bool:
    """Whether a claim is bound only when a pod that uses it has a node."""
    class_ = observed.get(STORAGE_CLASS, Key("", text(claim, "spec", "storageClassName")))
    return class_ is not None and text(class_, "volumeBindingMode") == "WaitForFirstConsumer"


def reachable(found: Claims, node: Object) -> bool:
    """Whether all volumes can be used on a node."""
    required = [at(each, "spec", "nodeAffinity", "required") for each in found.volumes]
    return all(each is None or selects_node(mapping(each), node) for each in required)
