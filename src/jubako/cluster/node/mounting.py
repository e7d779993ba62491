"""What a container's volumeMounts are to the engine: binds of what lies beneath the pod's directory.

Spec: core/v1 VolumeMount.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from jubako.cluster.node.environment import Missing
from jubako.cluster.types.document import Object, objects, text

_PROPAGATION = {"": "rprivate", "None": "rprivate", "HostToContainer": "rslave", "Bidirectional": "rshared"}


def mounts(container: Object, volumes: Mapping[str, Path]) -> list[str]:
    """Return `--mount` texts; `volumes` has where each volume of the pod lies. Raises Missing."""
    found = []
    for mount in objects(container.get("volumeMounts")):
        name, target = text(mount.get("name")), text(mount.get("mountPath"))
        if name not in volumes:
            raise Missing(f'volume "{name}" not found')
        if mount.get("subPath") or mount.get("subPathExpr"):
            raise Missing(f"subPath of volume mount {name} is not supported yet")
        for part in (str(volumes[name]), target):
            if "," in part:
                raise Missing(f"a path with a comma can not be mounted yet: {part}")
        propagation = _PROPAGATION[text(mount.get("mountPropagation"))]
        read_only = ",readonly" if mount.get("readOnly") else ""
        found.append(f"type=bind,source={volumes[name]},target={target},bind-propagation={propagation}{read_only}")
    return found
