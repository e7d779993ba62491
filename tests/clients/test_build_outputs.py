"""What `jubako build` and `jubako bake` put out is read by skopeo, podman and docker."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from tests.conftest import Cli

from .conftest import Peer

pytestmark = [pytest.mark.root, pytest.mark.clients]

DOCKERFILE = "FROM busybox\nARG WORD=hello\nRUN echo $WORD >/made\nCMD cat /made\n"
BAKE = """
variable "WORD" { default = "baked" }
target "base" {
  dockerfile = "Dockerfile.base"
}
target "default" {
  contexts = { busybox = "target:base" }
  args = { WORD = upper(WORD) }
  tags = ["baked:1"]
}
"""


@pytest.fixture
def context(tmp_path: Path) -> Path:
    (tmp_path / "Dockerfile").write_text(DOCKERFILE)
    return tmp_path


def skopeo(*arguments: str) -> bytes:
    return subprocess.run(["skopeo", *arguments], check=True, capture_output=True).stdout


def test_podman_and_docker_load_archives(jubako: Cli, context: Path, podman: Peer, docker: Peer) -> None:
    for kind, peer in (("oci", podman), ("docker", docker), ("docker", podman)):
        archive = str(context / f"{kind}.tar")
        jubako("build", "-t", "localhost/outputs:1", "-o", f"type={kind},dest={archive}", str(context))
        peer("load", "-i", archive)
        inspected = json.loads(peer("inspect", "localhost/outputs:1"))[0]
        assert inspected["Config"]["Cmd"] == ["/bin/sh", "-c", "cat /made"]
        peer("rmi", "localhost/outputs:1")


def test_skopeo_reads_an_index_with_attestations_and_zstd(jubako: Cli, context: Path) -> None:
    target = f"type=oci,tar=false,dest={context}/layout,compression=zstd,annotation-index.a=b"
    jubako("build", "-t", "outputs:2", "-o", target, "--provenance", "mode=max", "--sbom", "true", str(context))
    index = json.loads(skopeo("inspect", "--raw", f"oci:{context}/layout"))
    assert index["annotations"] == {"a": "b"}
    assert [entry["platform"]["os"] for entry in index["manifests"]] == ["linux", "unknown"]
    skopeo("copy", f"oci:{context}/layout", f"dir:{context}/copied")
    manifest = json.loads((context / "copied/manifest.json").read_text())
    assert manifest["layers"][-1]["mediaType"].endswith("+zstd")


def test_push_sends_all_platforms_and_statements(jubako: Cli, context: Path, registry: str) -> None:
    (context / "Dockerfile").write_text("FROM scratch\nARG TARGETARCH\nCOPY Dockerfile /$TARGETARCH\n")
    name = f"{registry}/outputs:3"
    platforms = "linux/amd64,linux/arm64"
    jubako("build", "-t", name, "--push", "--platform", platforms, "--provenance", "true", str(context))
    index = json.loads(skopeo("inspect", "--tls-verify=false", "--raw", f"docker://{name}"))
    assert [entry["platform"]["architecture"] for entry in index["manifests"]] == [
        *("amd64", "arm64", "unknown", "unknown")
    ]
    for entry in index["manifests"]:
        skopeo("inspect", "--tls-verify=false", "--raw", f"docker://{registry}/outputs@{entry['digest']}")


def test_bake_builds_what_its_file_says(jubako: Cli, context: Path, docker: Peer) -> None:
    (context / "docker-bake.hcl").write_text(BAKE)
    (context / "Dockerfile.base").write_text("FROM busybox\nRUN echo below >/below\n")
    command = [
        *jubako.argv,
        "bake",
        "--set",
        f"default.output=type=docker,dest={context}/b.tar",
        "--metadata-file",
        "m",
    ]
    subprocess.run(command, check=True, cwd=context, env=jubako.env, capture_output=True)
    docker("load", "-i", str(context / "b.tar"))
    assert (
        docker("run", "--rm", "--ulimit", "nofile=1024:1024", "baked:1", "cat", "/made", "/below") == "BAKED\nbelow\n"
    )
    docker("rmi", "baked:1")
    metadata = json.loads((context / "m").read_text())
    assert metadata["default"]["image.name"] == "docker.io/library/baked:1"
