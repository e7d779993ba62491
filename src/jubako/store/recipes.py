"""Recipes: how to make a blob again that was dropped because the unpacked layer holds the same bytes.

Layout:       recipes/<algorithm>/<hex>   a line of JSON (Recipe), then what only its cook reads (snapshot.rebuild)
Invariant:    a recipe gave the blob before it was written, and the blob went only after the recipe was durable. Of a
              blob that is here as well the recipe is not used.
Use:          only while its layer is here; without it the blob counts as missing, so that a pull fetches it again.
Concurrency:  as blobs: many processes, a recipe is one rename.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

import msgspec

from jubako.errors import DataLoss
from jubako.spec import decoding
from jubako.spec.oci_image import DiffID, Digest
from jubako.store import digest as digests
from jubako.store.failure import explained
from jubako.store.writer import fsync

_LINE_LIMIT_BYTES = 1 << 16


class Recipe(msgspec.Struct, frozen=True, kw_only=True):
    """What the blob is made of; `method` is how it was compressed, in its cook's words, by that version of it."""

    layer: DiffID
    size: int
    method: str
    header: bytes = b""
    maker: str = ""


class Recipes:
    def __init__(self, root: Path) -> None:
        self._directory = root / "recipes"
        self._layers = root / "layers"

    def find(self, digest: str) -> Recipe | None:
        """The recipe of a blob that can be made here; None where there is none, or its layer is gone."""
        try:
            recipe, body = self.open(digest)
        except FileNotFoundError:
            return None
        body.close()
        return recipe if self._has_layer(recipe.layer) else None

    def open(self, digest: str) -> tuple[Recipe, BinaryIO]:
        """A recipe, and a reader at its body, which the caller closes; FileNotFoundError, DataLoss."""
        with explained("read the recipe", self.path(digest)):
            stream = self.path(digest).open("rb")
        try:
            return decoding.decode(stream.readline(_LINE_LIMIT_BYTES), Recipe), stream
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            stream.close()
            raise DataLoss(f"the recipe of blob {digest} is damaged: {error}") from error

    def commit(self, source: Path, digest: str) -> None:
        """Give a finished recipe its name, durably."""
        target = self.path(digest)
        with explained("write to", target):
            target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            fsync(source)
            os.rename(source, target)
            for directory in (target.parent, self._directory, self._directory.parent):
                fsync(directory)

    def delete(self, digest: str) -> bool:
        try:
            with explained("delete the recipe", self.path(digest)):
                os.unlink(self.path(digest))
        except FileNotFoundError:
            return False
        return True

    def usage(self, digest: str) -> int:
        """The bytes of a recipe; 0 where there is none."""
        with suppress(FileNotFoundError):
            return os.stat(self.path(digest)).st_size
        return 0

    def __iter__(self) -> Iterator[Digest]:
        """All, whether or not their layers are here."""
        for algorithm in ("sha256", "sha512"):
            with suppress(FileNotFoundError):
                for encoded in os.listdir(self._directory / algorithm):
                    yield Digest(f"{algorithm}:{encoded}")

    def path(self, digest: str) -> Path:
        algorithm, encoded = digests.split(digest)
        return self._directory / algorithm / encoded

    def _has_layer(self, diff_id: DiffID) -> bool:
        algorithm, encoded = digests.split(diff_id)
        return os.path.isdir(self._layers / algorithm / encoded)


def line(recipe: Recipe) -> bytes:
    """What a recipe begins with."""
    return msgspec.json.encode(recipe) + b"\n"
