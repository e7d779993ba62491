"""A second machine for a build: a state directory of its own, with the same base image, and what it fetches counted."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from jubako.image.layout import content
from jubako.image.reference import parse
from jubako.registry.client import push
from jubako.snapshot.unpack import ensure
from jubako.spec.oci_image import Descriptor

from .conftest import Site


class Machine(Site):
    """Builds in the context of `first`, whose base image it has."""

    def __init__(self, base: Path, first: Site) -> None:
        super().__init__(base)
        self.context = first.context
        for digest in content(first.store, first.images, ["base"]).blobs:
            self.store.blobs.put(first.store.blobs.read(digest, limit=1 << 30))
        self.images.put("base", first.images.resolve("base").target)
        with self.store.leases.hold("test") as lease:
            ensure(self.store, self.snapshots, self.images.resolve("base"), lease=lease)
        self.had = set(self.store.blobs)

    def fetched(self) -> set[str]:
        """The layers that came since, by the digests of their blobs."""
        return {digest for digest in set(self.store.blobs) - self.had if not self._is_document(digest)}

    def _is_document(self, digest: str) -> bool:
        return self.store.blobs.read(digest, limit=1 << 30)[:1] == b"{"


def pushing(site: Site) -> dict[str, object]:
    """The options of a build that pushes."""

    def send(name: str) -> Descriptor:
        return push(site.store, site.images.resolve(name), parse(name))

    return {"push_image": send, "push": True}


def document(root: Path) -> Any:
    """What the last entry of a local cache leads to."""
    index = json.loads((root / "index.json").read_bytes())
    return json.loads(blob(root, index["manifests"][-1]["digest"]))


def blob(root: Path, digest: str) -> bytes:
    return (root / "blobs" / digest.replace(":", "/")).read_bytes()


def configuration(root: Path) -> Any:
    """The records and layers of a local cache in an image manifest."""
    return json.loads(blob(root, document(root)["config"]["digest"]))
