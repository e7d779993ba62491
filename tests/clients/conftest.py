"""Real peers with state of their own: a dockerd on its own socket, a podman on its own storage."""

from __future__ import annotations

import itertools
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from tests.clients.kubectl import NEW, OLD, Kubectl, cluster, in_new_namespace, program
from tests.conftest import COMMAND, Cli, serving

RUNTIME = COMMAND.with_name("jubako-oci")
_numbers = itertools.count(1)
LIMITS = ["--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1024:1024"]


class Peer:
    """A client command; the call returns standard output and fails the test on another exit code than 0."""

    def __init__(self, argv: list[str]) -> None:
        self.argv = argv

    def run(self, *arguments: str, input: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        env = {**os.environ, "DOCKER_BUILDKIT": "0"}
        return subprocess.run([*self.argv, *arguments], capture_output=True, input=input, env=env, timeout=180)

    def __call__(self, *arguments: str, input: bytes = b"") -> str:
        done = self.run(*arguments, input=input)
        assert done.returncode == 0, f"{' '.join(arguments)}: {done.returncode}\n{done.stderr.decode()}"
        return done.stdout.decode()


@pytest.fixture(scope="session")
def busybox(state: Cli, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """busybox of the engine under test as an archive, for its peers."""
    path = tmp_path_factory.mktemp("busybox") / "busybox.tar"
    state("save", "-o", str(path), "busybox")
    return path


@pytest.fixture(scope="session")
def registry(state: Cli, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """ADDRESS:PORT of a registry of ours."""
    with serving(state, tmp_path_factory.mktemp("registry")) as address:
        yield address


@pytest.fixture(scope="session")
def docker(busybox: Path) -> Iterator[Peer]:
    """docker against a dockerd of this run's own, with busybox."""
    base = Path("/var/tmp") / f"jubako-test-docker.{os.getpid()}"
    base.mkdir()
    socket = f"unix://{base}/s.sock"
    peer = Peer(["docker", "-H", socket])
    tables = firewall_tables()
    with (base / "log").open("wb") as log:
        daemon = subprocess.Popen(
            [
                "dockerd",
                "--data-root",
                f"{base}/data",
                "--exec-root",
                f"{base}/exec",
                "-H",
                socket,
                "-p",
                f"{base}/pid",
                "--default-ulimit",
                "nofile=1024:1024",
                "--add-runtime",
                f"jubako={RUNTIME}",
                "--insecure-registry",
                "127.0.0.0/8",
            ],
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        for _ in range(300):
            if subprocess.run([*peer.argv, "version"], capture_output=True).returncode == 0:
                break
            time.sleep(0.1)
        else:
            pytest.fail("dockerd did not start: " + (base / "log").read_text()[-800:])
        peer("load", "-i", str(busybox))
        yield peer
    finally:
        left = subprocess.run([*peer.argv, "ps", "-aq"], capture_output=True, text=True).stdout.split()
        if left:
            subprocess.run([*peer.argv, "rm", "-f", *left], capture_output=True)
        daemon.terminate()
        daemon.wait(60)
        subprocess.run(["ip", "link", "del", "docker0"], capture_output=True)
        subprocess.run(["umount", f"{base}/exec/netns/default"], capture_output=True)
        for table in firewall_tables() - tables:
            subprocess.run(["nft", "delete", *table.split()], check=False)
        subprocess.run(["rm", "-rf", str(base)], check=True)


def firewall_tables() -> set[str]:
    return set(subprocess.run(["nft", "list", "tables"], capture_output=True, text=True).stdout.splitlines())


@pytest.fixture(scope="session")
def runtime_keeper() -> Iterator[None]:
    """The keeper that `jubako-oci` leaves goes with the tests: engines pass no environment on that would have it go."""
    yield
    for process in Path("/proc").glob("[0-9]*"):
        try:
            words = (process / "cmdline").read_text().split("\0")
        except OSError:
            continue
        if "jubako.cli.keeper.serve" in words and words[0].startswith(f"{COMMAND.parent}/"):
            with suppress(ProcessLookupError):
                os.kill(int(process.name), signal.SIGTERM)


@pytest.fixture(scope="session")
def podman(tmp_path_factory: pytest.TempPathFactory, busybox: Path) -> Iterator[Peer]:
    """podman over runc, with storage of its own and busybox as localhost/busybox."""
    base = tmp_path_factory.mktemp("podman")
    peer = Peer(
        [
            "podman",
            "--root",
            f"{base}/root",
            "--runroot",
            f"{base}/run",
            "--runtime",
            "runc",
            "--cgroup-manager",
            "cgroupfs",
        ]
    )
    peer("load", "-i", str(busybox))
    peer("tag", "localhost/busybox", "docker.io/library/busybox")
    yield peer
    subprocess.run([*peer.argv, "rm", "-f", "-a", "-t", "0"], capture_output=True)
    subprocess.run([*peer.argv, "rmi", "-f", "-a"], capture_output=True)
    unmount_beneath(base)


@pytest.fixture(scope="session")
def buildah(tmp_path_factory: pytest.TempPathFactory, busybox: Path) -> Iterator[Peer]:
    """buildah with storage of its own and busybox."""
    base = tmp_path_factory.mktemp("buildah")
    peer = Peer(["buildah", "--root", f"{base}/root", "--runroot", f"{base}/run"])
    peer("pull", "-q", f"docker-archive:{busybox}")
    peer("tag", "localhost/busybox", "docker.io/library/busybox")
    yield peer
    subprocess.run([*peer.argv, "rm", "-a"], capture_output=True)
    unmount_beneath(base)


def unmount_beneath(base: Path) -> None:
    for mount in sorted(
        (
            line.split()[4]
            for line in Path("/proc/self/mountinfo").read_text().splitlines()
            if f"{base}/" in line.split()[4]
        ),
        reverse=True,
    ):
        subprocess.run(["umount", mount], check=False)


@pytest.fixture(scope="session")
def kubeconfig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Of a cluster of this run's own."""
    with cluster(tmp_path_factory.mktemp("cluster")) as path:
        yield path


@pytest.fixture(params=[NEW, OLD])
def kubectl(request: pytest.FixtureRequest, kubeconfig: Path) -> Iterator[Kubectl]:
    """Each kubectl, in a namespace of the test's own."""
    with in_new_namespace(program(request.param), kubeconfig, f"test-{next(_numbers)}") as client:
        yield client
