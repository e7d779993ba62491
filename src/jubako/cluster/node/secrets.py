"""imagePullSecrets: what a pod's secrets have for the registry of an image.

Spec: "Pull an Image from a Private Registry"; kubernetes.io/dockerconfigjson and kubernetes.io/dockercfg.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from jubako.cluster.node.environment import Lookup, entries_of
from jubako.cluster.types.document import JSON, Object, at, mapping, objects, text
from jubako.image import reference

if TYPE_CHECKING:
    from jubako.registry.client import Credentials


def credentials(pod: Object, image: str, look: Lookup) -> tuple[list[Credentials], list[str]]:
    """Return what to try in turn, and the names of secrets that are not there or say nothing."""
    names = [text(each["name"]) for each in objects(at(pod, "spec", "imagePullSecrets")) if each.get("name")]
    if not names:
        return [], []
    from jubako.registry.client.credentials import in_table

    wanted = reference.parse(image)
    found, missing = [], []
    for name in names:
        tables = _tables(look("Secret", name))
        if tables is None:
            missing.append(name)
        elif (known := in_table(tables, wanted.domain, wanted.path)) is not None:
            found.append(known)
    return found, missing


def _tables(secret: Object | None) -> Object | None:
    """Return the entries by registry, None where there are none."""
    if secret is None:
        return None
    entries = entries_of(secret)
    try:
        if (modern := entries.get(".dockerconfigjson")) is not None:
            return mapping(at(_decoded(modern), "auths"))
        if (old := entries.get(".dockercfg")) is not None:
            return mapping(_decoded(old))
    except msgspec.MsgspecError:
        return None
    return None


def _decoded(data: bytes) -> JSON:
    document: JSON = msgspec.json.decode(data)
    return document
