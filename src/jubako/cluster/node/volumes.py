"""What a pod's volumes have in them, written to disk.

Layout:     DIRECTORY/UID/NAME          emptyDir; or a projection, whose files are links through ..data:
            DIRECTORY/UID/NAME/..data -> ..N; NAME/..N/…      a new state is written beside, then the link is replaced
            MEMORY/UID/NAME             emptyDir with medium Memory: on a tmpfs, where /run is one
Invariant:  a reader sees all of one state or all of the next.
Spec:       core/v1 Volume; k8s.io/kubernetes/pkg/volume/util/atomic_writer.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from jubako.cluster.node.environment import Facts, Lookup, Missing, entries_of, field_of, resource_of
from jubako.cluster.types.document import Object, array, at, integer, mapping, objects, text

_MODE = 0o644
_DATA = "..data"
_PROJECTED = ("configMap", "secret", "downwardAPI", "projected")


class File(NamedTuple):
    data: bytes
    mode: int


Token = Callable[[Object], str]
"""Makes a token of the pod's service account for a serviceAccountToken source."""


class Volumes:
    """The volumes of one pod. `look` finds ConfigMaps and Secrets of its namespace, `claim` a claim's volume."""

    def __init__(
        self, directory: Path, memory: Path, look: Lookup, token: Token, claim: Callable[[str], Path | None]
    ) -> None:
        self._directory, self._memory = directory, memory
        self._look, self._token, self._claim = look, token, claim

    def make(self, pod: Object, facts: Facts) -> dict[str, Path]:
        """Make or renew every volume, and return where each lies. Raises Missing."""
        group = at(pod, "spec", "securityContext", "fsGroup")
        owner = integer(group) if group is not None else -1
        return {
            text(each.get("name")): self._volume(pod, each, facts, owner)
            for each in objects(at(pod, "spec", "volumes"))
        }

    def _volume(self, pod: Object, volume: Object, facts: Facts, owner: int) -> Path:
        uid, name = text(at(pod, "metadata", "uid")), text(volume.get("name"))
        if "emptyDir" in volume:
            in_memory = at(volume, "emptyDir", "medium") == "Memory"
            return _empty((self._memory if in_memory else self._directory) / uid / name, owner)
        if "hostPath" in volume:
            return _of_host(mapping(volume["hostPath"]))
        if "persistentVolumeClaim" in volume:
            claim = text(at(volume, "persistentVolumeClaim", "claimName"))
            if (path := self._claim(claim)) is None:
                raise Missing(f'persistentvolumeclaim "{claim}" not found')
            return path
        for kind in _PROJECTED:
            if kind in volume:
                files = dict(self._files(pod, kind, mapping(volume[kind]), facts))
                path = self._directory / uid / name
                project(path, files, owner)
                return path
        kinds = ", ".join(key for key in volume if key != "name")
        raise Missing(f'volume "{name}" is of a kind that is not supported: {kinds}')

    def _files(self, pod: Object, kind: str, source: Object, facts: Facts) -> Iterator[tuple[str, File]]:
        mode = integer(source.get("defaultMode"), _MODE)
        if kind == "projected":
            for each in objects(source.get("sources")):
                for part, held in each.items():
                    yield from self._files(pod, part, {"defaultMode": mode, **mapping(held)}, facts)
        elif kind in ("configMap", "secret"):
            yield from _entries(self._look, kind, source, mode)
        elif kind == "downwardAPI":
            for item in objects(source.get("items")):
                data = _downward(pod, item, facts)
                yield _clean(text(item.get("path"))), File(data.encode(), integer(item.get("mode"), mode))
        elif kind == "serviceAccountToken":
            yield _clean(text(source.get("path"))), File(self._token(source).encode(), mode)
        else:
            raise Missing(f"a projection of {kind} is not supported")

    def remove(self, uid: str) -> None:
        """Throw away all that belonged to a pod."""
        for base in (self._directory, self._memory):
            shutil.rmtree(base / uid, ignore_errors=True)


def _entries(look: Lookup, kind: str, source: Object, mode: int) -> Iterator[tuple[str, File]]:
    name = text(source.get("secretName" if kind == "secret" and "secretName" in source else "name"))
    document = look("Secret" if kind == "secret" else "ConfigMap", name)
    if document is None:
        if source.get("optional"):
            return
        raise Missing(f'{kind.lower()} "{name}" not found')
    entries = entries_of(document)
    items = objects(source.get("items"))
    if not array(source.get("items")):
        yield from ((_clean(key), File(data, mode)) for key, data in entries.items())
    for item in items:
        key = text(item.get("key"))
        if key in entries:
            yield _clean(text(item.get("path"))), File(entries[key], integer(item.get("mode"), mode))
        elif not source.get("optional"):
            raise Missing(f"references non-existent {kind.lower()} key: {key}")


def _downward(pod: Object, item: Object, facts: Facts) -> str:
    if reference := mapping(item.get("fieldRef")):
        return field_of(pod, text(reference.get("fieldPath")), facts)
    reference = mapping(item.get("resourceFieldRef"))
    name = text(reference.get("containerName"))
    container = next((each for each in objects(at(pod, "spec", "containers")) if each.get("name") == name), {})
    return resource_of(container, text(reference.get("resource")), text(reference.get("divisor")))


def _clean(path: str) -> str:
    """Validation refuses such paths; what is written must not depend on it."""
    parts = path.split("/")
    if not path or path.startswith("/") or ".." in parts or parts[0].startswith(".."):
        raise Missing(f"invalid path of a file in a volume: {path!r}")
    return path


def _empty(path: Path, owner: int) -> Path:
    if not path.is_dir():
        path.mkdir(parents=True, mode=0o700)
        path.chmod(0o777)
        _own(path, owner, 0o2777)
    return path


def _own(path: Path, owner: int, mode: int) -> None:
    if owner >= 0:
        os.chown(path, -1, owner)
        path.chmod(mode)


def _of_host(source: Object) -> Path:
    path, kind = Path(text(source.get("path"))), text(source.get("type"))
    if kind in ("DirectoryOrCreate", "") and not path.exists():
        path.mkdir(parents=True, mode=0o755)
    if kind == "FileOrCreate" and not path.exists():
        path.touch(mode=0o644)
    wrong = {"Directory": not path.is_dir(), "File": not path.is_file(), "Socket": not path.is_socket()}
    if wrong.get(kind):
        raise Missing(f"hostPath type check failed: {path} is not a {kind.lower()}")
    return path


def project(path: Path, files: Mapping[str, File], owner: int) -> None:
    """Have exactly these files in a directory, all at once; nothing is touched where they are there already."""
    path.mkdir(parents=True, mode=0o755, exist_ok=True)
    data = path / _DATA
    if data.is_dir() and _current(data) == files:
        return
    before = os.readlink(data) if data.is_symlink() else ""
    state = path / f"..{os.urandom(8).hex()}"
    state.mkdir(mode=0o755)
    for name, file in files.items():
        _write(state / name, file, owner)
    link = path / "..data_tmp"
    link.unlink(missing_ok=True)
    link.symlink_to(state.name)
    link.rename(data)
    _link_names(path, {name.partition("/")[0] for name in files})
    if before:
        shutil.rmtree(path / before, ignore_errors=True)


def _write(path: Path, file: File, owner: int) -> None:
    path.parent.mkdir(parents=True, mode=0o755, exist_ok=True)
    path.write_bytes(file.data)
    path.chmod(file.mode)
    _own(path, owner, file.mode | 0o040)


def _current(data: Path) -> dict[str, File]:
    found = {}
    for directory, _, names in os.walk(data):
        for name in names:
            path = Path(directory) / name
            found[str(path.relative_to(data))] = File(path.read_bytes(), path.stat().st_mode & 0o777)
    return found


def _link_names(path: Path, names: set[str]) -> None:
    for entry in path.iterdir():
        if not entry.name.startswith("..") and entry.name not in names:
            entry.unlink()
    for name in names:
        if not (path / name).is_symlink():
            (path / name).symlink_to(f"{_DATA}/{name}")
