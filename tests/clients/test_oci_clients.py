"""containerd's ctr, ORAS for Python, and podman with zstd:chunked exchange images and artifacts with us."""

from __future__ import annotations

import json
import os
import subprocess
import tarfile
from pathlib import Path

import oras.client
import pytest
from tests.clients.conftest import Peer
from tests.conftest import Cli

pytestmark = [pytest.mark.clients, pytest.mark.root]


@pytest.fixture
def ctr(docker: Peer) -> Peer:
    """ctr, to the containerd that the tests' dockerd runs, in a namespace of its own."""
    base = docker.argv[-1].removeprefix("unix://").removesuffix("/s.sock")
    return Peer(["ctr", "-a", f"{base}/exec/containerd/containerd.sock", "-n", "corpus"])


def test_ctr_pulls_pushes_and_imports(registry: str, ctr: Peer, jubako: Cli, tmp_path: Path) -> None:
    ours, theirs = f"{registry}/ctr:ours", f"{registry}/ctr:theirs"
    jubako("tag", "busybox", ours)
    jubako("push", ours)
    ctr("images", "pull", "--plain-http", "--snapshotter", "native", ours)
    try:
        ctr("images", "tag", ours, theirs)
        ctr("images", "push", "--plain-http", theirs)
        ctr("images", "export", str(tmp_path / "exported.tar"), theirs)
        jubako("pull", theirs)
        assert jubako("run", "--rm", "--network", "none", theirs, "echo", "hello") == "hello\n"
        jubako("rmi", theirs)
        assert f"Loaded image: {theirs}" in jubako("load", "-i", str(tmp_path / "exported.tar"))
        jubako("save", "-o", str(tmp_path / "saved.tar"), ours)
        ctr("images", "import", "--snapshotter", "native", str(tmp_path / "saved.tar"))
    finally:
        ctr("images", "rm", "--sync", *ctr("images", "ls", "-q").split())
        jubako("rmi", ours, theirs)


@pytest.fixture
def client(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> oras.client.OrasClient:
    monkeypatch.chdir(tmp_path)
    return oras.client.OrasClient(insecure=True)


def test_an_artifact_of_oras_comes_to_us(
    registry: str, client: oras.client.OrasClient, jubako: Cli, tmp_path: Path
) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "notes.txt").write_text("hello")
    (tmp_path / "folder/data").write_bytes(os.urandom(100_000))
    client.push(target=f"{registry}/oras:v1", files=["notes.txt:text/plain", "folder"])
    written = jubako("artifact", "pull", "-q", "-o", str(tmp_path / "out"), f"{registry}/oras:v1").split()
    assert written == ["notes.txt", "folder"]
    assert (tmp_path / "out/notes.txt").read_text() == "hello"
    # This ORAS does not mark its folders; by the mark that the others set, it is a file that is an archive.
    with tarfile.open(tmp_path / "out/folder") as folder:
        data = folder.extractfile("folder/data")
        assert data is not None
        assert data.read() == (tmp_path / "folder/data").read_bytes()


def test_an_artifact_of_ours_goes_to_oras(
    registry: str, client: oras.client.OrasClient, jubako: Cli, tmp_path: Path
) -> None:
    (tmp_path / "model.bin").write_bytes(os.urandom(300_000))
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder/data").write_bytes(b"in a folder")
    name = f"{registry}/ours:v1"
    command = [*jubako.argv, "artifact", "push", "--artifact-type", "test/model", name, "model.bin", "folder"]
    subprocess.run(command, cwd=tmp_path, env=jubako.env, check=True, capture_output=True)
    pulled, _ = client.pull(target=name, outdir=str(tmp_path / "out"))
    assert (tmp_path / "out/folder/data").read_bytes() == b"in a folder"
    assert Path(pulled).read_bytes() == (tmp_path / "model.bin").read_bytes()
    assert client.get_tags(name) == ["v1"]
    manifest = client.get_manifest(client.get_container(name))
    assert manifest["artifactType"] == "test/model"


def test_podman_pushes_zstd_chunked_and_it_runs_here(registry: str, podman: Peer, jubako: Cli) -> None:
    name = f"{registry}/chunked:v1"
    options = ("--tls-verify=false", "--format", "oci", "--compression-format", "zstd:chunked")
    podman("push", *options, "localhost/busybox", f"docker://{name}")
    raw = subprocess.check_output(["skopeo", "inspect", "--raw", "--tls-verify=false", f"docker://{name}"])
    (layer,) = json.loads(raw)["layers"]
    assert "io.containers.zstd-chunked.manifest-checksum" in layer["annotations"]
    assert "Status: Downloaded newer image" in jubako("pull", name)
    assert jubako("run", "--rm", "--network", "none", name, "echo", "hello") == "hello\n"
    jubako("rmi", name)


def test_an_image_is_copied_from_us_to_skopeo_and_on_by_us(registry: str, jubako: Cli, podman: Peer) -> None:
    one, two = f"{registry}/copy:one", f"{registry}/elsewhere/copy:two"
    podman("push", "--tls-verify=false", "localhost/busybox", f"docker://{one}")
    digest = jubako("image", "copy", "-q", one, two).split()[-1]
    inspected = json.loads(subprocess.check_output(["skopeo", "inspect", "--tls-verify=false", f"docker://{two}"]))
    assert inspected["Digest"] == digest
    podman("pull", "--tls-verify=false", two)
    podman("rmi", two)
