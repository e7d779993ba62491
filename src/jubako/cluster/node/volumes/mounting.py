"""A container's volumeMounts -> the engine's mounts.

A subPath is resolved within its volume, which the container's program may change at any time: what leads out of it is
refused here, and the engine mounts what it finds there by its fd (CVE-2017-1002101, CVE-2021-25741).

Spec: core/v1 VolumeMount; k8s.io/kubernetes/pkg/kubelet/kubelet_pods.go.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from jubako.cluster.node.environment import Missing, expanded_fully
from jubako.cluster.types.document import Object, objects, text
from jubako.linux.openat2 import RESOLVE_BENEATH, RESOLVE_NO_MAGICLINKS, mkdirs_in_root, openat2

_PROPAGATION = {"": "rprivate", "None": "rprivate", "HostToContainer": "rslave", "Bidirectional": "rshared"}
_WITHIN = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS


class Place(NamedTuple):
    """Where a volume lies, or which image it is, and whether nobody writes to it."""

    path: Path
    read_only: bool = False
    image: str = ""


def mounts(container: Object, volumes: Mapping[str, Place], env: Mapping[str, str]) -> list[str]:
    """Return `--mount` texts; what of a volume is mounted is made where it is missing. Raises Missing."""
    found = []
    for mount in objects(container.get("volumeMounts")):
        name = text(mount.get("name"))
        if name not in volumes:
            raise Missing(f'volume "{name}" not found')
        part = _part(mount, env)
        if part and not volumes[name].image:
            _prepare(volumes[name].path, part, name, text(container.get("name")))
        found.append(",".join(map(_quoted, _words(mount, volumes[name], part))))
    return found


def _words(mount: Object, place: Place, part: str) -> list[str]:
    words = _of_image(place) if place.image else _of_path(mount, place)
    words.append(f"target={text(mount.get('mountPath'))}")
    if part:
        words.append(f"subpath={part}")
    if mount.get("readOnly") or place.read_only:
        words.append("readonly")
    if mount.get("recursiveReadOnly") in ("IfPossible", "Enabled"):
        words.append("bind-recursive=readonly")
    return words


def _of_path(mount: Object, place: Place) -> list[str]:
    propagation = _PROPAGATION[text(mount.get("mountPropagation"))]
    return ["type=bind", f"source={place.path}", f"bind-propagation={propagation}"]


def _of_image(place: Place) -> list[str]:
    return ["type=image", f"source={place.image}", "noexec", "nosuid", "nodev"]


def _quoted(word: str) -> str:
    """As `--mount` reads them: CSV."""
    return f'"{word.replace(chr(34), chr(34) * 2)}"' if any(sign in word for sign in ',"\n') else word


def _part(mount: Object, env: Mapping[str, str]) -> str:
    """Return what of the volume is mounted, "" for all of it. Raises Missing."""
    part = text(mount.get("subPath")) or expanded_fully(text(mount.get("subPathExpr")), env)
    if part.startswith("/"):
        raise Missing(f"error SubPath `{part}` must not be an absolute path")
    if ".." in part.split("/"):
        raise Missing(f"unable to provision SubPath `{part}`: must not contain '..'")
    return "" if os.path.normpath(part or ".") == "." else part


def _prepare(volume: Path, part: str, name: str, container: str) -> None:
    """See to it that there is such a part, a directory like the volume's own where it is missing. Raises Missing."""
    doing = "prepare subPath"
    try:
        fd = os.open(volume, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.close(openat2(fd, part, os.O_PATH, resolve=_WITHIN))
        except FileNotFoundError:
            doing = "create subPath directory"
            os.close(mkdirs_in_root(fd, part, stat.S_IMODE(os.fstat(fd).st_mode)))
        finally:
            os.close(fd)
    except OSError:
        raise Missing(f'failed to {doing} for volumeMount "{name}" of container "{container}"') from None
