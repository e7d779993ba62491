"""buildah, ctr, podman, skopeo, docker and oras with our registry: TLS, passwords, tokens, by several processes."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import bcrypt
import pytest

from .conftest import Peer

pytestmark = [pytest.mark.clients, pytest.mark.root]
USER = "ann:secret"


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for 127.0.0.1 where each client looks for one, and a user."""
    base = tmp_path_factory.mktemp("tls")
    make = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=127.0.0.1"
    files = ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", f"{base}/key.pem", "-out", f"{base}/cert.pem"]
    subprocess.run([*make.split(), *files], check=True, capture_output=True)
    (base / "certs").mkdir()
    shutil.copy(base / "cert.pem", base / "certs" / "ca.crt")
    (base / "users").write_text(f"ann:{bcrypt.hashpw(b'secret', bcrypt.gensalt(4)).decode()}\n")
    return base


MODES = {
    "plain": "",
    "tls": "tls: {certificate: cert.pem, key: key.pem}\n",
    "tls-password": "tls: {certificate: cert.pem, key: key.pem}\naccess: {htpasswd: users}\n",
    "tls-token": "tls: {certificate: cert.pem, key: key.pem}\naccess: {htpasswd: users, token_service: {}}\n",
}


class Served:
    """A registry, and how clients are told to talk to it."""

    def __init__(self, address: str, mode: str, base: Path) -> None:
        self.address = address
        self.tls = mode != "plain"
        self.tokens = mode == "tls-token"
        self.user = mode in ("tls-password", "tls-token")
        self.certs = str(base / "certs")

    def containers(self, prefix: str = "") -> list[str]:
        """Options of podman, buildah and skopeo (which has them with a prefix)."""
        trust = [f"--{prefix}cert-dir", self.certs] if self.tls else [f"--{prefix}tls-verify=false"]
        return trust + ([f"--{prefix}creds", USER] if self.user else [])

    def ctr(self, base: Path) -> list[str]:
        """Options of ctr, which would take plain HTTP on loopback but for a hosts.toml that says otherwise."""
        if not self.tls:
            return ["--plain-http"]
        hosts = base / self.address
        hosts.mkdir(parents=True, exist_ok=True)
        url = f"https://{self.address}"
        (hosts / "hosts.toml").write_text(
            f'server = "{url}"\n[host."{url}"]\n'
            f'capabilities = ["pull", "resolve", "push"]\nca = "{self.certs}/ca.crt"\n'
        )
        return ["--hosts-dir", str(base), *(["--user", USER] if self.user else [])]


@pytest.fixture(params=MODES, scope="module")
def served(request, state, base) -> Iterator[Served]:
    config = base / "registry.yaml"
    config.write_text(f"root: {request.param}\nlisten: 127.0.0.1:0\nprocesses: 2\n{MODES[request.param]}")
    command = [state.argv[0], "registry", "serve", "--config", str(config)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=state.env)
    assert process.stdout
    yield Served(process.stdout.readline().strip().rpartition("//")[2], request.param, base)
    process.send_signal(signal.SIGTERM)
    process.stdout.close()
    assert process.wait(30) == 0


@pytest.fixture(scope="module")
def ctr(tmp_path_factory: pytest.TempPathFactory, busybox: Path) -> Iterator[Peer]:
    """ctr against a containerd of this run's own, with busybox."""
    base = tmp_path_factory.mktemp("containerd")
    (base / "config.toml").write_text('version = 2\ndisabled_plugins = ["io.containerd.grpc.v1.cri"]\n')
    socket = f"{base}/s.sock"
    with (base / "log").open("wb") as log:
        daemon = subprocess.Popen(
            [
                "containerd",
                "-c",
                f"{base}/config.toml",
                "--root",
                f"{base}/root",
                "--state",
                f"{base}/state",
                "-a",
                socket,
            ],
            stdout=log,
            stderr=log,
        )
    peer = Peer(["ctr", "-a", socket])
    for _ in range(200):
        if peer.run("version").returncode == 0:
            break
        time.sleep(0.1)
    peer("images", "import", str(busybox))
    yield peer
    daemon.terminate()
    daemon.wait(30)


def test_ctr_pushes_and_pulls(served, ctr, tmp_path):
    options = served.ctr(tmp_path)
    ours = f"{served.address}/ctr/busybox:v1"
    ctr("images", "tag", "--force", "docker.io/library/busybox:latest", ours)
    ctr("images", "push", *options, ours)
    ctr("images", "rm", ours)
    ctr("images", "pull", "--snapshotter", "native", *options, ours)
    assert ours in ctr("images", "ls", "-q")


def test_buildah_pushes_and_pulls(served, busybox, tmp_path):
    ours = f"docker://{served.address}/buildah/busybox:v1"
    buildah = Peer(["buildah", "--root", f"{tmp_path}/root", "--runroot", f"{tmp_path}/run", "--storage-driver", "vfs"])
    buildah("pull", f"docker-archive:{busybox}")
    image_id = buildah("images", "-q", "--no-trunc").strip()
    buildah("push", *served.containers(), image_id, ours)
    buildah("rmi", "-a")
    buildah("pull", *served.containers(), ours)
    assert buildah("images", "-q", "--no-trunc").strip() == image_id


def test_podman_pushes_and_pulls(served, podman):
    ours = f"{served.address}/podman/busybox:v1"
    podman("tag", "localhost/busybox", ours)
    podman("push", *served.containers(), ours)
    podman("rmi", ours)
    podman("pull", *served.containers(), ours)
    podman("rmi", ours)


def test_skopeo_copies_in_out_and_deletes(served, busybox, tmp_path):
    skopeo = Peer(["skopeo"])
    ours = f"docker://{served.address}/skopeo/busybox:v1"
    skopeo("copy", *served.containers("dest-"), f"docker-archive:{busybox}", ours)
    skopeo("copy", *served.containers("src-"), ours, f"oci:{tmp_path}/layout:v1")
    assert json.loads(skopeo("inspect", *served.containers(), ours))["Name"] == f"{served.address}/skopeo/busybox"
    skopeo("delete", *served.containers(), ours)
    assert json.loads(skopeo("list-tags", *served.containers(), ours.removesuffix(":v1")))["Tags"] == []


def test_docker_pushes_and_pulls(served, docker, tmp_path):
    ours = f"{served.address}/docker/busybox:v1"
    command = Peer([*docker.argv, "--config", str(tmp_path / "docker")])
    if served.user:
        command("login", "-u", "ann", "--password-stdin", served.address, input=b"secret")
    command("tag", "busybox", ours)
    command("push", ours)
    command("rmi", ours)
    command("pull", ours)
    command("rmi", ours)


def test_oras_pushes_and_pulls_an_artifact(served, tmp_path, monkeypatch):
    import oras.client

    if served.tokens:
        return  # oras asks for more scope only after a 403, and the specification's answer is 401
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", f"{served.certs}/ca.crt")
    Path("notes.txt").write_bytes(data := os.urandom(3000))
    client = oras.client.OrasClient(
        hostname=served.address, insecure=not served.tls, tls_verify=True, auth_backend="basic"
    )
    if served.user:
        client.login(
            username="ann", password="secret", hostname=served.address, config_path=str(tmp_path / "auth.json")
        )
    ours = f"{served.address}/oras/notes:v1"
    client.push(target=ours, files=["notes.txt"])
    (pulled,) = client.pull(target=ours, outdir=str(tmp_path / "out"))
    assert Path(pulled).read_bytes() == data
