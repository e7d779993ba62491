"""The files of a projection: ConfigMaps, Secrets, the pod itself, tokens, or several of them together.

A token whose time has not come is kept as it lies there.

Spec: core/v1 ConfigMapVolumeSource, SecretVolumeSource, DownwardAPIVolumeSource, ProjectedVolumeSource.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec

from jubako.cluster.node.environment import Facts, Lookup, Missing, entries_of, field_of, resource_of
from jubako.cluster.node.volumes import atomic, tokens
from jubako.cluster.node.volumes.atomic import File
from jubako.cluster.node.volumes.ownership import user_of
from jubako.cluster.types.document import Object, array, at, integer, mapping, objects, text

KINDS = ("configMap", "secret", "downwardAPI", "projected")
_MODE, _OWN_MODE = 0o644, 0o600

Token = Callable[[Object], str]
"""Makes a token of the pod's service account for a serviceAccountToken source."""


class Projection(msgspec.Struct, frozen=True, kw_only=True):
    """One volume of one pod. `path` is where its present state lies."""

    pod: Object
    path: Path
    facts: Facts
    look: Lookup
    token: Token

    def files(self, kind: str, source: Object) -> dict[str, File]:
        """Return what is to be in it. Raises Missing."""
        return dict(self._files(kind, source, integer(source.get("defaultMode"), _MODE)))

    def _files(self, kind: str, source: Object, mode: int) -> Iterator[tuple[str, File]]:
        match kind:
            case "projected":
                for each in objects(source.get("sources")):
                    for part, held in each.items():
                        yield from self._files(part, mapping(held), mode)
            case "configMap" | "secret":
                yield from _entries(self.look, kind, source, mode)
            case "downwardAPI":
                for item in objects(source.get("items")):
                    data = _downward(self.pod, item, self.facts)
                    yield _clean(text(item.get("path"))), File(data.encode(), integer(item.get("mode"), mode))
            case "serviceAccountToken":
                yield self._token(source, mode)
            case _:
                raise Missing(f"a projection of {kind} is not supported")

    def _token(self, source: Object, mode: int) -> tuple[str, File]:
        """The file is for its reader alone where the pod says who that is."""
        name, user = _clean(text(source.get("path"))), user_of(self.pod)
        held = atomic.read(self.path, name)
        data = held if tokens.left_s(held, time.time()) > 0 else self.token(source).encode()
        known = user >= 0 or at(self.pod, "spec", "securityContext", "fsGroup") is not None
        return name, File(data, _OWN_MODE if known else mode, user or -1)


def token_paths(kind: str, source: Object) -> Iterator[str]:
    """Yield the files of a volume that are tokens."""
    if kind == "projected":
        for each in objects(source.get("sources")):
            if path := text(at(each, "serviceAccountToken", "path")):
                yield path


def _entries(look: Lookup, kind: str, source: Object, mode: int) -> Iterator[tuple[str, File]]:
    name = text(source.get("secretName" if kind == "secret" and "secretName" in source else "name"))
    document = look("Secret" if kind == "secret" else "ConfigMap", name)
    if document is None:
        if source.get("optional"):
            return
        raise Missing(f'{kind.lower()} "{name}" not found')
    entries = entries_of(document)
    if not array(source.get("items")):
        yield from ((_clean(key), File(data, mode)) for key, data in entries.items())
    for item in objects(source.get("items")):
        key = text(item.get("key"))
        if key in entries:
            yield _clean(text(item.get("path"))), File(entries[key], integer(item.get("mode"), mode))
        elif not source.get("optional"):
            raise Missing(f"references non-existent {'config' if kind == 'configMap' else 'secret'} key: {key}")


def _downward(pod: Object, item: Object, facts: Facts) -> str:
    if reference := mapping(item.get("fieldRef")):
        return field_of(pod, text(reference.get("fieldPath")), facts)
    reference = mapping(item.get("resourceFieldRef"))
    name = text(reference.get("containerName"))
    container = next((each for each in objects(at(pod, "spec", "containers")) if each.get("name") == name), {})
    return resource_of(container, text(reference.get("resource")), text(reference.get("divisor")), facts)


def _clean(path: str) -> str:
    """Validation refuses such paths; what is written must not depend on it."""
    parts = path.split("/")
    if not path or path.startswith("/") or ".." in parts or parts[0].startswith(".."):
        raise Missing(f"invalid path of a file in a volume: {path!r}")
    return path
