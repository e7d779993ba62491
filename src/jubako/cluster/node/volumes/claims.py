"""Where the volume of a claim lies, and the end of its data.

Invariant:  data is removed only once its volume is being deleted, and the volume goes only once the data has: the
            finalizer DATA is taken off last, so that a kill in between has the next one go on.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from jubako.cluster.controllers.actions import Patch, patch
from jubako.cluster.controllers.volumes.made import DATA, directory_of, is_made
from jubako.cluster.node.environment import Missing
from jubako.cluster.node.volumes import ownership
from jubako.cluster.objects import finalizers, is_deleting, listed, owner_references
from jubako.cluster.types.document import Object, at, text

Find = Callable[[str, str, str], "Object | None"]
"""Returns the object of a kind in a namespace with a name."""


def place(find: Find, pod: Object, name: str) -> Path | None:
    """Return where the volume of a pod's claim lies; None until it is bound. Raises Missing."""
    claim = find("PersistentVolumeClaim", text(at(pod, "metadata", "namespace")), name)
    if claim is None:
        return None
    if _is_for_another(claim, pod):
        where = f"{text(at(pod, 'metadata', 'namespace'))}/{name}"
        raise Missing(f"PVC {where} was not created for pod {text(at(pod, 'metadata', 'name'))} (pod is not owner)")
    volume = find("PersistentVolume", "", text(at(claim, "spec", "volumeName")))
    return _directory(volume, pod) if volume is not None else None


def _is_for_another(claim: Object, pod: Object) -> bool:
    """Whether a claim that was made for a volume of one pod is now asked for by another one of its name."""
    owners = [each for each in owner_references(claim) if each.get("kind") == "Pod" and each.get("controller")]
    return any(each.get("uid") != at(pod, "metadata", "uid") for each in owners)


def _directory(volume: Object, pod: Object) -> Path | None:
    if path := text(at(volume, "spec", "local", "path")):
        if not Path(path).exists():
            raise Missing(f'path "{path}" does not exist')
        ownership.give(Path(path), pod)
        return Path(path)
    if not (path := text(at(volume, "spec", "hostPath", "path"))):
        return None
    if not Path(path).exists():
        Path(path).mkdir(parents=True, mode=0o755)
        if is_made(volume):
            Path(path).chmod(0o777)
    return Path(path)


def is_doomed(volume: Object) -> bool:
    """Whether the data of a volume is to be removed."""
    return is_deleting(volume) and DATA in finalizers(volume)


def remove(volume: Object) -> Patch:
    """Remove the data of a volume that is going, unless it is to be retained; returns what lets go of it.

    Raises OSError.
    """
    directory = directory_of(volume)
    if directory and at(volume, "spec", "persistentVolumeReclaimPolicy") != "Retain":
        with suppress(FileNotFoundError):
            shutil.rmtree(directory)
    left = [each for each in finalizers(volume) if each != DATA]
    return patch(volume, {"metadata": {"finalizers": listed(left)}}, exactly=True)
