"""Caches beside docker's BuildKit: neither side trips over what the other wrote; skopeo copies ours."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from tests.conftest import Cli

from .conftest import Peer
from .test_build_parity import buildkit

pytestmark = [pytest.mark.root, pytest.mark.clients]

DOCKERFILE = "FROM busybox\nRUN echo one >/one\nRUN cat /one >/two\n"


@pytest.fixture
def context(tmp_path: Path) -> Path:
    (tmp_path / "context").mkdir()
    (tmp_path / "context/Dockerfile").write_text(DOCKERFILE)
    return tmp_path / "context"


def skopeo(*arguments: str) -> bytes:
    return subprocess.run(["skopeo", *arguments], check=True, capture_output=True, timeout=60).stdout


def test_an_image_that_docker_built_with_its_cache_is_no_cache_here_and_no_trouble(
    state: Cli, docker: Peer, registry: str, context: Path
) -> None:
    name = f"{registry}/cache/docker:inline"
    built = buildkit(docker, "--build-arg", "BUILDKIT_INLINE_CACHE=1", "-t", name, str(context))
    assert built.returncode == 0, built.stderr.decode()
    docker("push", name)
    assert b"moby.buildkit.cache.v0" in skopeo("inspect", "--config", "--raw", "--tls-verify=false", f"docker://{name}")
    ours = state.run("build", "--network", "none", "--cache-from", name, str(context))
    assert ours.returncode == 0
    assert b"importing cache manifest" in ours.stderr
    assert b"Warning" not in ours.stderr
    docker("rmi", "-f", name)


def test_docker_builds_beside_our_cache_and_runs_our_image_with_one(
    state: Cli, docker: Peer, registry: str, context: Path
) -> None:
    name = f"{registry}/cache/ours:inline"
    state("build", "-q", "--network", "none", "--cache-to", "type=inline", "-t", name, "--push", str(context))
    document = json.loads(skopeo("inspect", "--config", "--raw", "--tls-verify=false", f"docker://{name}"))
    assert document["moby.buildkit.cache.v0"]
    built = buildkit(docker, "--cache-from", name, "-t", "probe-cache", str(context))
    assert built.returncode == 0, built.stderr.decode()
    assert docker("run", "--rm", "--network", "none", "probe-cache", "cat", "/two") == "one\n"
    assert docker("run", "--rm", "--network", "none", name, "cat", "/two") == "one\n"
    docker("rmi", "-f", "probe-cache", name)


def test_skopeo_copies_a_cache(state: Cli, registry: str, context: Path, tmp_path: Path) -> None:
    name, copy = f"{registry}/cache/plain", f"{registry}/cache/copy"
    state("build", "-q", "--network", "none", "--cache-to", f"type=registry,ref={name},mode=max", str(context))
    skopeo("copy", "--src-tls-verify=false", "--dest-tls-verify=false", f"docker://{name}", f"docker://{copy}")
    other = Cli(tmp_path / "root", tmp_path / "run")
    archive = tmp_path / "busybox.tar"
    state("save", "-o", str(archive), "busybox")
    other("load", "-q", "-i", str(archive))
    built = other.run("build", "--network", "none", "--cache-from", copy, str(context))
    assert built.stderr.count(b"CACHED") == 2, built.stderr.decode()
    other("system", "prune", "-a", "-f", "--volumes")
