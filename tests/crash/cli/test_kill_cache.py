"""kill -9 while a build cache is exported or imported: what was there stays usable, and nothing is left."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from ...remains import assert_blobs_are_whole

pytestmark = pytest.mark.root

DOCKERFILE = "FROM busybox\nRUN head -c 3000000 /dev/urandom >/big\nRUN echo {n} >/n\nRUN true\n"


def assert_cache_is_whole(directory: Path) -> None:
    """Every name of the index leads to content that is there and right."""
    for entry in json.loads((directory / "index.json").read_bytes())["manifests"]:
        manifest = json.loads(content(directory, entry))
        for blob in (manifest["config"], *manifest["layers"]):
            content(directory, blob)


def content(directory: Path, blob: dict[str, str]) -> bytes:
    data = (directory / "blobs" / blob["digest"].replace(":", "/")).read_bytes()
    assert f"sha256:{hashlib.sha256(data).hexdigest()}" == blob["digest"]
    return data


def prepare(context: Path, n: int) -> None:
    context.mkdir(exist_ok=True)
    (context / "Dockerfile").write_text(DOCKERFILE.format(n=n))


def forget(killer) -> None:
    """What is here of builds, but for the base image."""
    killer.cli("rmi", "-f", "probe")
    killer.cli("builder", "prune", "-a", "-f")


def assert_imported(killer, source: str, context: Path) -> None:
    forget(killer)
    built = killer.cli.run("build", "--network", "none", "-t", "probe", "--cache-from", source, str(context))
    assert built.returncode == 0
    assert built.stderr.count(b"CACHED") == 3, built.stderr.decode()
    n = killer.cli("run", "--rm", "--network", "none", "probe", "cat", "/n").strip()
    assert f"echo {n} >" in (context / "Dockerfile").read_text()


def export(killer, target: str, context: Path, after) -> None:
    build = ("build", "-q", "--network", "none", "-t", "probe", "--cache-to", f"{target},mode=max", str(context))
    prepare(context, -2)
    killer.cli(*build)
    prepare(context, -1)
    longest = killer.duration_s(*build)
    for number in range(killer.moments // 2):
        prepare(context, number)
        killer.kill(*build, longest_s=longest)
        after()
    killer.cli(*build)


def test_kill_during_an_export_to_a_directory(killer, tmp_path):
    cache, context = tmp_path / "cache", tmp_path / "context"
    export(killer, f"type=local,dest={cache}", context, lambda: assert_cache_is_whole(cache))
    assert_imported(killer, f"type=local,src={cache}", context)


def test_kill_during_an_export_to_a_registry(killer, tmp_path, registry):
    ref = f"type=registry,ref={registry}/probe/cache"
    context = tmp_path / "context"
    export(killer, ref, context, lambda: None)
    assert_imported(killer, ref, context)


def test_kill_during_an_import(killer, tmp_path, registry):
    ref = f"type=registry,ref={registry}/probe/cache"
    context = tmp_path / "context"
    prepare(context, 0)
    killer.cli("build", "-q", "--network", "none", "-t", "probe", "--cache-to", ref, str(context))
    build = ("build", "-q", "--network", "none", "-t", "probe", "--cache-from", ref, str(context))
    forget(killer)
    longest = killer.duration_s(*build)
    for _ in range(killer.moments // 2):
        forget(killer)
        killer.kill(*build, longest_s=longest)
        assert_blobs_are_whole(killer.cli.root)
    assert_imported(killer, ref, context)
