"""The corpus: each Dockerfile in it built by us and by others gives the same files, configuration and history.

A case is a file `NAME.Dockerfile` in corpus/, built in the context of test_build_parity by us and by docker's BuildKit.
A difference that is meant stands in the file, and it fails the test when it has gone:

    #: differs PART because REASON

PART is a key of the image's configuration, `history`, or `files:PATH`. `NAME.plain` beside a case says the same in
older words, for a docker that does not know the newer ones; the history is not compared then.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import subprocess
import tarfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import pytest
from tests.conftest import Cli

from .conftest import Peer
from .test_build_parity import OWN, fill

pytestmark = [pytest.mark.root, pytest.mark.clients]

CORPUS = Path(__file__).parent / "corpus"
NAMES = sorted(path.stem for path in CORPUS.glob("*.Dockerfile"))
KEYS = "Env Cmd Entrypoint User ExposedPorts Volumes Labels StopSignal Healthcheck Shell OnBuild".split()
SKIPPED = ("bin/", "dev", "proc", "sys", ".dockerenv")
"""Applets of the base image, and what runtimes put there."""
OLD = 1_500_000_000
"""Times up to this one are the context's own and are kept; later ones are those of the build."""


class Built(NamedTuple):
    files: dict[str, tuple[object, ...]]
    config: dict[str, object]
    history: list[tuple[str, bool]]


def read_archive(path: Path) -> dict[str, Built]:
    """The images of a docker archive by their repository, layers put together."""
    with tarfile.open(path) as archive:
        listed = json.loads(_read(archive, "manifest.json"))
        return {entry["RepoTags"][0].rpartition("/")[2].partition(":")[0]: _image(archive, entry) for entry in listed}


def _read(archive: tarfile.TarFile, name: str) -> bytes:
    stream = archive.extractfile(name)
    assert stream is not None
    return stream.read()


def _image(archive: tarfile.TarFile, entry: dict[str, object]) -> Built:
    config = json.loads(_read(archive, str(entry["Config"])))
    files: dict[str, tuple[object, ...]] = {}
    layers = entry["Layers"]
    assert isinstance(layers, list)
    for layer in layers:
        _apply(files, archive, layer)
    history = [(step.get("created_by", ""), step.get("empty_layer", False)) for step in config.get("history") or []]
    return Built(files, {**{key: config["config"].get(key) or None for key in KEYS}, **_workdir(config)}, history)


def _workdir(config: dict[str, dict[str, object]]) -> dict[str, object]:
    return {"WorkingDir": config["config"].get("WorkingDir") or "/"}


def _apply(files: dict[str, tuple[object, ...]], archive: tarfile.TarFile, layer: str) -> None:
    """Put a layer over `files`."""
    with tarfile.open(fileobj=io.BytesIO(_read(archive, layer))) as content:
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


def _remove(files: dict[str, tuple[object, ...]], name: str, *, itself: bool) -> None:
    for path in [path for path in files if path.startswith(name + "/") or (itself and path == name)]:
        del files[path]


def _entry(content: tarfile.TarFile, member: tarfile.TarInfo) -> tuple[object, ...]:
    stream = content.extractfile(member) if member.isreg() or member.islnk() else None
    digest = hashlib.sha256(stream.read()).hexdigest()[:16] if stream else member.linkname
    kind = "file" if stream else member.type
    kept = member.mtime if member.mtime <= OLD and not member.isdir() else 0
    return kind, oct(member.mode & 0o7777), member.uid, member.gid, digest, kept


class Results(NamedTuple):
    failures: dict[str, str]
    ours: dict[str, Built]
    theirs: dict[str, Built]


class Site:
    """Both builders over one context."""

    def __init__(self, ours: Cli, docker: Peer, base: Path) -> None:
        self.ours, self.docker, self.base = ours, docker, base
        self.context = base / "context"
        self.context.mkdir()
        fill(self.context)

    def build(self, name: str) -> str:
        """Build the case with both; returns what went wrong."""
        file = CORPUS / f"{name}.Dockerfile"
        common = ["--network=none", "-q", "-t", f"corpus-{name}"]
        ours = self.ours.run("build", *common, "-f", str(file), str(self.context))
        plain = file.with_suffix(".plain")
        argv = ["/usr/bin/docker", *self.docker.argv[1:], "build", *common]
        argv += ["-f", str(plain if plain.exists() else file), str(self.context)]
        env = {**os.environ, "DOCKER_BUILDKIT": "1"}
        theirs = subprocess.run(argv, capture_output=True, env=env, timeout=180)
        return "".join(done.stderr.decode() for done in (ours, theirs) if done.returncode)


@pytest.fixture(scope="module")
def results(state: Cli, docker: Peer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Results]:
    """The whole corpus, built by both, two cases at a time."""
    base = tmp_path_factory.mktemp("corpus")
    site = Site(state, docker, base)
    with ThreadPoolExecutor(2) as pool:
        failures = dict(zip(NAMES, pool.map(site.build, NAMES), strict=True))
    tags = [f"corpus-{name}" for name in NAMES if not failures[name]]
    try:
        state("save", "-o", str(base / "ours.tar"), *tags)
        docker("save", "-o", str(base / "theirs.tar"), *tags)
        yield Results(failures, read_archive(base / "ours.tar"), read_archive(base / "theirs.tar"))
    finally:
        state.run("rmi", "-f", *tags)
        docker.run("rmi", "-f", *tags)


@pytest.mark.parametrize("name", NAMES)
def test_corpus_gives_what_docker_gives(results: Results, name: str) -> None:
    assert not results.failures[name]
    ours, theirs = results.ours[f"corpus-{name}"], results.theirs[f"corpus-{name}"]
    parts = {key: (ours.config[key], theirs.config[key]) for key in ours.config}
    parts |= {
        f"files:{path}": (ours.files.get(path), theirs.files.get(path)) for path in ours.files.keys() | theirs.files
    }
    if not (CORPUS / f"{name}.plain").exists():
        parts["history"] = (ours.history, theirs.history)
    assert {part: pair for part, pair in parts.items() if pair[0] != pair[1] and part not in known(name)} == {}
    assert {part for part in known(name) if parts[part][0] == parts[part][1]} == set(), "no longer a difference"


def known(name: str) -> frozenset[str]:
    """The parts that are known to differ."""
    text = (CORPUS / f"{name}.Dockerfile").read_text()
    return frozenset(re.findall(r"^#: differs (\S+) because \S", text, re.MULTILINE))
