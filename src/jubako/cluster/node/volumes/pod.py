"""A pod's volumes: each made, or found, and where it lies.

Layout:     DIRECTORY/UID/NAME   emptyDir, or a projection
            MEMORY/UID/NAME      emptyDir with medium Memory: on a tmpfs, where /run is one
Spec:       core/v1 Volume.
"""

from __future__ import annotations

import math
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

from jubako.cluster.node.environment import Facts, Lookup, Missing
from jubako.cluster.node.volumes import atomic, ownership, tokens
from jubako.cluster.node.volumes.mounting import Place
from jubako.cluster.node.volumes.projection import KINDS, Projection, Token, token_paths
from jubako.cluster.node.volumes.references import Source, sources
from jubako.cluster.types.document import Object, at, mapping, objects, text

Claim = Callable[[Object, str], "Path | None"]
"""Returns where the volume of a pod's claim lies; None until it is bound."""


class Volumes:
    """The volumes of one pod. `look` finds ConfigMaps and Secrets of its namespace."""

    def __init__(self, directory: Path, memory: Path, look: Lookup, token: Token, claim: Claim) -> None:
        self._directory, self._memory = directory, memory
        self._look, self._token, self._claim = look, token, claim

    def make(self, pod: Object, facts: Facts) -> dict[str, Place]:
        """Make or renew every volume, and return where each lies. Raises Missing."""
        return {text(each.get("name")): self._volume(pod, each, facts) for each in objects(at(pod, "spec", "volumes"))}

    def renew(self, pod: Object, facts: Facts, changed: set[Source] | None) -> None:
        """Bring the projections of what has changed, or all, up to date as far as can be; raises Missing after that."""
        missing: Missing | None = None
        for volume in objects(at(pod, "spec", "volumes")):
            made_of = sources(volume)
            if made_of if changed is None else made_of & changed:
                try:
                    self._volume(pod, volume, facts)
                except Missing as error:
                    missing = error
        if missing is not None:
            raise missing

    def due_s(self, pod: Object, now: float) -> float:
        """Return in how many seconds the next token is to be renewed; for ever where there is none."""
        return min((tokens.left_s(token, now) for token in self._tokens(pod)), default=math.inf)

    def _tokens(self, pod: Object) -> Iterator[bytes]:
        for volume in objects(at(pod, "spec", "volumes")):
            for name in token_paths("projected", mapping(volume.get("projected"))):
                yield atomic.read(self._path(self._directory, pod, volume), name)

    def remove(self, uid: str) -> None:
        """Throw away all that belonged to a pod."""
        for base in (self._directory, self._memory):
            shutil.rmtree(base / uid, ignore_errors=True)

    def _volume(self, pod: Object, volume: Object, facts: Facts) -> Place:
        try:
            return self._place(pod, volume, facts)
        except Missing as error:
            name = text(volume.get("name"))
            raise Missing(f'MountVolume.SetUp failed for volume "{name}" : {error}') from None

    def _place(self, pod: Object, volume: Object, facts: Facts) -> Place:
        if "emptyDir" in volume:
            in_memory = at(volume, "emptyDir", "medium") == "Memory"
            return Place(_empty(self._path(self._memory if in_memory else self._directory, pod, volume), pod))
        if "hostPath" in volume:
            return Place(_of_host(mapping(volume["hostPath"])))
        if claim := _claim_of(pod, volume):
            if (path := self._claim(pod, claim)) is None:
                raise Missing(f'persistentvolumeclaim "{claim}" not found')
            return Place(path, at(volume, "persistentVolumeClaim", "readOnly") is True)
        if "image" in volume:
            return Place(Path(), read_only=True, image=text(at(volume, "image", "reference")))
        for kind in KINDS:
            if kind in volume:
                return Place(self._project(pod, volume, kind, facts), read_only=True)
        kinds = ", ".join(key for key in volume if key != "name")
        raise Missing(f"volumes of the kind {kinds} are not supported")

    def _project(self, pod: Object, volume: Object, kind: str, facts: Facts) -> Path:
        path = self._path(self._directory, pod, volume)
        projection = Projection(pod=pod, path=path, facts=facts, look=self._look, token=self._token)
        atomic.project(path, projection.files(kind, mapping(volume[kind])), ownership.group_of(pod))
        return path

    @staticmethod
    def _path(base: Path, pod: Object, volume: Object) -> Path:
        return base / text(at(pod, "metadata", "uid")) / text(volume.get("name"))


def _claim_of(pod: Object, volume: Object) -> str:
    """Return the claim that a volume is: one that is named, or the one made for it."""
    if "ephemeral" in volume:
        return f"{text(at(pod, 'metadata', 'name'))}-{text(volume.get('name'))}"
    return text(at(volume, "persistentVolumeClaim", "claimName"))


def _empty(path: Path, pod: Object) -> Path:
    if not path.is_dir():
        path.mkdir(parents=True, mode=0o700)
        path.chmod(0o777)
    ownership.give(path, pod)
    return path


def _of_host(source: Object) -> Path:
    path, kind = Path(text(source.get("path"))), text(source.get("type"))
    if kind in ("DirectoryOrCreate", "") and not path.exists():
        path.mkdir(parents=True, mode=0o755)
    if kind == "FileOrCreate" and not path.exists():
        path.touch(mode=0o644)
    wrong = {
        "Directory": not path.is_dir(), "DirectoryOrCreate": not path.is_dir(), "File": not path.is_file(),
        "FileOrCreate": not path.is_file(), "Socket": not path.is_socket(),
        "CharDevice": not path.is_char_device(), "BlockDevice": not path.is_block_device(),
    }  # fmt: skip
    if wrong.get(kind):
        words = {"CharDevice": "character device", "BlockDevice": "block device"}
        plain = words.get(kind, kind.removesuffix("OrCreate").lower())
        raise Missing(f"hostPath type check failed: {path} is not a {plain}")
    return path
