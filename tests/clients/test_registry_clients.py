"""skopeo, podman and docker push to and pull from our registry; our client does with Debian's."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import bcrypt
import pytest
from tests.conftest import serving

pytestmark = [pytest.mark.clients, pytest.mark.root]
INSECURE = "--tls-verify=false"


@pytest.fixture
def serve(state, tmp_path):
    """Starts `jubako registry serve` and gives its address; stops it after the test."""
    with ExitStack() as stack:
        yield lambda *options: stack.enter_context(serving(state, tmp_path / "registry", *options))


@pytest.fixture
def registry(serve) -> str:
    return serve()


@pytest.fixture
def htpasswd(tmp_path) -> Path:
    path = tmp_path / "htpasswd"
    path.write_text(f"ann:{bcrypt.hashpw(b'secret', bcrypt.gensalt(4)).decode()}\n")
    return path


@pytest.fixture(scope="module")
def debian(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Debian's docker-registry, the reference implementation."""
    base = tmp_path_factory.mktemp("docker-registry")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{probe.getsockname()[1]}"
    config = base / "config.yml"
    config.write_text(
        "version: 0.1\nlog: {level: error}\n"
        f"storage: {{filesystem: {{rootdirectory: {base}/data}}}}\nhttp: {{addr: '{address}'}}\n"
    )
    with (base / "log").open("wb") as log:
        process = subprocess.Popen(["docker-registry", "serve", str(config)], stdout=log, stderr=log)
    for _ in range(100):
        try:
            urllib.request.urlopen(f"http://{address}/v2/", timeout=5).close()
            break
        except OSError:
            time.sleep(0.1)
    yield address
    process.terminate()
    process.wait(30)


@pytest.fixture
def archive(state, tmp_path) -> Path:
    """busybox as a docker-archive."""
    path = tmp_path / "busybox.tar"
    state("save", "-o", str(path), "busybox")
    return path


def skopeo(*arguments: str) -> str:
    done = subprocess.run(["skopeo", *arguments], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_skopeo_copies_both_ways(registry, archive, tmp_path):
    skopeo("copy", f"--dest-{INSECURE[2:]}", f"docker-archive:{archive}", f"docker://{registry}/a/busybox:v1")
    skopeo("copy", f"--src-{INSECURE[2:]}", f"docker://{registry}/a/busybox:v1", f"oci:{tmp_path}/layout:v1")
    skopeo("copy", f"--dest-{INSECURE[2:]}", f"oci:{tmp_path}/layout:v1", f"docker://{registry}/b:oci")
    assert json.loads(skopeo("list-tags", INSECURE, f"docker://{registry}/b"))["Tags"] == ["oci"]
    first = json.loads(skopeo("inspect", INSECURE, f"docker://{registry}/a/busybox:v1"))
    second = json.loads(skopeo("inspect", INSECURE, f"docker://{registry}/b:oci"))
    assert first["Layers"] == second["Layers"]
    skopeo("delete", INSECURE, f"docker://{registry}/b:oci")
    assert json.loads(skopeo("list-tags", INSECURE, f"docker://{registry}/b"))["Tags"] == []


def test_skopeo_copies_between_registries(registry, debian, archive):
    skopeo("copy", f"--dest-{INSECURE[2:]}", f"docker-archive:{archive}", f"docker://{debian}/x:v1")
    both = (f"--src-{INSECURE[2:]}", f"--dest-{INSECURE[2:]}")
    skopeo("copy", *both, f"docker://{debian}/x:v1", f"docker://{registry}/x:v1")
    skopeo("copy", *both, f"docker://{registry}/x:v1", f"docker://{debian}/y:v1")
    digest = json.loads(skopeo("inspect", INSECURE, f"docker://{registry}/x:v1"))["Digest"]
    assert json.loads(skopeo("inspect", INSECURE, f"docker://{debian}/y:v1"))["Digest"] == digest


def test_podman_pushes_and_pulls(registry, podman, archive):
    podman("load", "-i", str(archive))
    ours = f"{registry}/team/busybox:v1"
    podman("tag", "localhost/busybox", ours)
    podman("push", INSECURE, ours)
    image_id = podman("image", "inspect", "--format", "{{.Id}}", ours)
    podman("rmi", ours)
    podman("pull", INSECURE, ours)
    assert podman("image", "inspect", "--format", "{{.Id}}", ours) == image_id


def test_docker_pushes_mounts_and_pulls(registry, docker, archive, tmp_path):
    docker("load", "-i", str(archive))
    for name in ("team/busybox:v1", "copy:v1"):
        docker("tag", "busybox", f"{registry}/{name}")
        pushed = docker("push", f"{registry}/{name}")
    assert "Mounted from team/busybox" in pushed
    docker("rmi", f"{registry}/team/busybox:v1", f"{registry}/copy:v1")
    pulled = docker("pull", f"{registry}/copy:v1")
    assert "Status: Downloaded newer image" in pulled
    digest = next(line.split()[1] for line in pulled.splitlines() if line.startswith("Digest:"))
    docker("pull", f"{registry}/team/busybox@{digest}")


def test_image_of_ours_goes_to_docker_and_podman_by_the_registry(registry, jubako, docker, podman, tmp_path):
    ours = f"{registry}/ours:v1"
    (tmp_path / "file").write_bytes(os.urandom(2_000_000))
    (tmp_path / "Dockerfile").write_text("FROM busybox\nCOPY file /file\n")
    jubako("build", "-q", "-t", ours, str(tmp_path))
    assert "digest: sha256:" in jubako("push", ours)
    docker("pull", ours)
    podman("pull", INSECURE, ours)
    image_id = jubako("image", "inspect", "--format", "{{.Id}}", ours).strip()
    assert docker("image", "inspect", "--format", "{{.Id}}", ours).strip() == image_id
    assert f"sha256:{podman('image', 'inspect', '--format', '{{.Id}}', ours).strip()}" == image_id


def test_image_of_docker_comes_to_us_by_the_registry_and_runs(registry, jubako, docker, archive):
    docker("load", "-i", str(archive))
    docker("tag", "busybox", f"{registry}/theirs:v1")
    docker("push", f"{registry}/theirs:v1")
    assert "Status: Downloaded newer image" in jubako("pull", f"{registry}/theirs:v1")
    assert "Status: Image is up to date" in jubako("pull", f"{registry}/theirs:v1")
    assert jubako("run", "--rm", "--network", "none", f"{registry}/theirs:v1", "echo", "hello") == "hello\n"


def test_our_client_works_with_debians_registry(debian, jubako):
    ours = f"{debian}/ours:v1"
    jubako("tag", "busybox", ours)
    jubako("push", ours)
    jubako("rmi", ours)
    jubako("pull", ours)
    jubako("tag", "busybox", f"{debian}/mounted:v1")
    assert "Mounted from ours" in jubako("push", f"{debian}/mounted:v1")


def test_debians_registry_has_referrers_by_the_fallback_tag_and_ours_by_the_api(debian, registry, jubako, tmp_path):
    theirs, ours = f"{debian}/subject:v1", f"{registry}/subject:v1"
    (tmp_path / "sig").write_text("signed")
    jubako("tag", "busybox", theirs)
    jubako("push", theirs)
    command = ("artifact", "push", "-q", "--artifact-type", "test/sig", "--subject", "v1", f"{debian}/subject")
    pushed = jubako(*command, str(tmp_path / "sig")).strip()
    digest = jubako("image", "copy", "-q", "--referrers", theirs, ours).strip()
    assert f"sha256-{digest.removeprefix('sha256:')}" in skopeo("list-tags", INSECURE, f"docker://{debian}/subject")
    assert json.loads(skopeo("list-tags", INSECURE, f"docker://{registry}/subject"))["Tags"] == ["v1"]
    for name in (theirs, ours):
        assert jubako("artifact", "referrers", name).split()[-2:] == ["test/sig", pushed]
    jubako("artifact", "pull", "-o", str(tmp_path / "out"), f"{registry}/subject@{pushed}")
    assert [path.read_text() for path in (tmp_path / "out").rglob("sig")] == ["signed"]
    jubako("rmi", theirs)


@pytest.mark.parametrize("mode", [[], ["--token-auth"]], ids=["basic", "token"])
def test_clients_log_in(serve, htpasswd, mode, docker, podman, jubako, archive, tmp_path):
    registry = serve("--htpasswd", str(htpasswd), *mode)
    image = f"{registry}/private:v1"
    jubako.env["JUBAKO_AUTH_FILE"] = str(tmp_path / "auth.json")
    jubako("tag", "busybox", image)
    refused = jubako.run("push", image)
    assert (refused.returncode, b"authentication required" in refused.stderr) == (1, True)
    wrong = jubako.run("login", "-u", "ann", "--password-stdin", registry, input=b"guess")
    assert (wrong.returncode, b"401 Unauthorized" in wrong.stderr) == (1, True)
    assert "Login Succeeded" in jubako("login", "-u", "ann", "--password-stdin", registry, input=b"secret\n")
    jubako("push", image)
    docker("--config", str(tmp_path / "docker"), "login", "-u", "ann", "-p", "secret", registry)
    docker("--config", str(tmp_path / "docker"), "pull", image)
    docker("--config", str(tmp_path / "docker"), "push", image)
    podman("pull", INSECURE, "--creds", "ann:secret", image)
    podman("push", INSECURE, "--creds", "ann:secret", image, f"docker://{registry}/other:v1")
    jubako("logout", registry)
    assert jubako.run("pull", image).returncode == 1
    del jubako.env["JUBAKO_AUTH_FILE"]
