"""Images as builders left them: files of all layers put together, configuration and history, read from an archive."""

from __future__ import annotations

import hashlib
import io
import json
import os
import tarfile
from pathlib import Path
from typing import NamedTuple

from jubako.build.dockerfile.grammar import INSTRUCTIONS

from .build_context import OLD
from .test_build_parity import KEYS, OWN

SKIPPED = ("bin/", "dev", "proc", "sys", ".dockerenv")
"""Applets of the base image, and what runtimes put there."""
BUILDAH_LABEL = "io.buildah.version"
BUILDAH_BITS = 0o1777
"""buildah loses the set-ID bits of what it copies: modes are compared without them."""
Files = dict[str, tuple[object, ...]]


class Built(NamedTuple):
    """`history` is each step's text and whether it is without a layer."""

    files: Files
    config: dict[str, object]
    history: list[tuple[str, bool]]


def read_archive(path: Path) -> dict[str, Built]:
    """The images of a docker archive by their repository."""
    with tarfile.open(path) as archive:
        layers: dict[str, bytes] = {}
        listed = json.loads(_read(archive, "manifest.json"))
        return {
            tag.rpartition("/")[2].partition(":")[0]: _image(archive, entry, layers)
            for entry in listed
            for tag in entry["RepoTags"]
        }


def _read(archive: tarfile.TarFile, name: str) -> bytes:
    stream = archive.extractfile(name)
    assert stream is not None
    return stream.read()


def _image(archive: tarfile.TarFile, entry: dict[str, object], layers: dict[str, bytes]) -> Built:
    config = json.loads(_read(archive, str(entry["Config"])))
    files: Files = {}
    names = entry["Layers"]
    assert isinstance(names, list)
    for name in names:
        if name not in layers:
            layers[name] = _read(archive, name)
        _apply(files, layers[name])
    history = [(step.get("created_by", ""), step.get("empty_layer", False)) for step in config.get("history") or []]
    return Built(files, _configuration(config), history)


def _configuration(config: dict[str, dict[str, object]]) -> dict[str, object]:
    inner = config["config"]
    labels = inner.get("Labels") or {}
    assert isinstance(labels, dict)
    return {
        **{key: inner.get(key) or None for key in KEYS},
        "Labels": {key: value for key, value in labels.items() if key != BUILDAH_LABEL},
        "WorkingDir": inner.get("WorkingDir") or "/",
        "author": config.get("author") or None,
        "platform": (config.get("os"), config.get("architecture")),
    }


def _apply(files: Files, layer: bytes) -> None:
    """Put a layer over `files`."""
    with tarfile.open(fileobj=io.BytesIO(layer)) as content:
        for member in content:
            name = os.path.normpath(member.name).lstrip("/")
            directory, base = os.path.split(name)
            if base == ".wh..wh..opq":
                _remove(files, directory, itself=False)
            elif base.startswith(".wh."):
                _remove(files, os.path.join(directory, base[4:]), itself=True)
            elif not name.startswith(SKIPPED) and name not in OWN:
                if not member.isdir():
                    _remove(files, name, itself=True)
                files[name] = _entry(content, member)


def _remove(files: Files, name: str, *, itself: bool) -> None:
    for path in [path for path in files if path.startswith(name + "/") or (itself and path == name)]:
        del files[path]


def _entry(content: tarfile.TarFile, member: tarfile.TarInfo) -> tuple[object, ...]:
    stream = content.extractfile(member) if member.isreg() or member.islnk() else None
    digest = hashlib.sha256(stream.read()).hexdigest()[:16] if stream else member.linkname
    kind = "file" if stream else member.type
    kept = int(member.mtime) if member.mtime <= OLD and not member.isdir() else 0
    attributes = sorted(item for item in member.pax_headers.items() if item[0].startswith("SCHILY.xattr."))
    return kind, member.mode & 0o7777, member.uid, member.gid, digest, kept, attributes


def keywords(history: list[tuple[str, bool]]) -> list[str]:
    """The instructions by name, whoever wrote them down; ONBUILD, which BuildKit does not write down, is left out."""
    found = (_keyword(text) for text, _ in history)
    return [word for word in found if word != "ONBUILD"]


def _keyword(text: str) -> str:
    _, shell, rest = text.rpartition("#(nop) ")
    word = (rest if shell else text).split(maxsplit=1)[:1]
    return word[0].upper() if word and word[0].upper() in INSTRUCTIONS else "RUN"
