"""Rows of images on the way to and from a registry on this machine, Debian's docker-registry: no party's own."""

from __future__ import annotations

import gzip
import os
import subprocess
import tarfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks import files
from benchmarks.measure import summary
from benchmarks.peers import Bench, Docker, Jubako, Podman
from benchmarks.registry import docker_registry

Party = Jubako | Podman | Docker


def parties(bench: Bench) -> dict[str, Party]:
    return {"jubako": bench.jubako, **bench.containers()}


def rounds_of(
    found: dict[str, Party], rounds: int, action: Callable[[Party, int], object], undo: Callable[[Party], object]
) -> dict[str, list[float]]:
    """Time `action` of each in turn; what it made is undone, and the disk quiet, before the next."""
    times: dict[str, list[float]] = {name: [] for name in found}
    for number in range(rounds):
        for name, party in found.items():
            subprocess.run(["sync"], check=True)
            start = time.perf_counter()
            action(party, number)
            times[name].append(time.perf_counter() - start)
            undo(party)
    return times


def insecure(party: Party) -> tuple[str, ...]:
    return ("--tls-verify=false",) if isinstance(party, Podman) else ()


def pull(bench: Bench, rounds: int) -> dict[str, Any]:
    """Five layers of a hundred megabytes each, compressed, in files of 256 KiB."""
    archive = bench.work / "large.tar"
    files.image_of(archive, "large:1", [_random_layer(bench.work / f"layer-{number}") for number in range(5)])
    with docker_registry(bench.work) as (_, url):
        name = f"{url.removeprefix('http://')}/large:1"
        bench.jubako("load", "-i", str(archive))
        archive.unlink()
        bench.jubako("tag", "large:1", name)
        bench.jubako("push", name)
        bench.jubako("rmi", "large:1", name)
        times = rounds_of(
            parties(bench),
            max(3, rounds // 5),
            lambda party, number: party("pull", "-q", *insecure(party), name),
            lambda party: party("rmi", "-f", name),
        )
    return summary(times, {"podman": 0.40, "docker": 0.40})


def push(bench: Bench, rounds: int) -> dict[str, Any]:
    """The layer of 20,000 files, each time to a repository of its own, of a registry without it."""
    archive = files.image_of_many_files(bench.work, 20_000)
    found = parties(bench)
    times: dict[str, list[float]] = {name: [] for name in found}
    for party in found.values():
        party("load", "-i", str(archive))
    for number in range(max(3, rounds // 5)):
        for name, party in found.items():
            work = bench.work / f"registry-{name}-{number}"
            work.mkdir()
            with docker_registry(work) as (_, url):
                target = f"{url.removeprefix('http://')}/many:1"
                party("tag", "many:1" if not isinstance(party, Podman) else "localhost/many:1", target)
                pushing = lambda party, _, target=target: party("push", *insecure(party), target)  # noqa: E731
                times[name] += rounds_of({name: party}, 1, pushing, lambda party, target=target: party("rmi", target))[
                    name
                ]  # type: ignore[misc]
    for party in found.values():
        party("rmi", "-f", "many:1")
    return summary(times, {"podman": 0.50, "docker": 0.50})


def save(bench: Bench, rounds: int) -> dict[str, Any]:
    """The layer of 20,000 files, and what is beneath it, into an archive."""
    archive, out = files.image_of_many_files(bench.work, 20_000), bench.work / "saved.tar"
    found = parties(bench)
    for party in found.values():
        party("load", "-i", str(archive))
    times = rounds_of(
        found,
        max(3, rounds // 3),
        lambda party, _: party("save", "-o", str(out), "many:1"),
        lambda _: out.unlink(),
    )
    for party in found.values():
        party("rmi", "-f", "many:1")
    return summary(times, {"podman": 0.50, "docker": 0.50})


def _random_layer(path: Path) -> tuple[Path, str]:
    """A gzip layer whose content does not compress, and its diff_id."""
    import hashlib
    import io

    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w") as tar:
        for number in range(400):
            member = tarfile.TarInfo(f"{path.name}/{number:04}")
            member.size = 256 << 10
            tar.addfile(member, io.BytesIO(os.urandom(member.size)))
    path.write_bytes(gzip.compress(plain.getvalue(), 1))
    return path, hashlib.sha256(plain.getvalue()).hexdigest()
