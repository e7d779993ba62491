"""The peers, each with state of its own in a temporary directory, and ourselves likewise.

What ends with the boot is on a tmpfs, as /run is; all else on disk. Everything runs inside the network and mount
namespaces that `./dev bench` made. Whatever is started here is stopped here, by pid.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from benchmarks.measure import command

BIN = Path(sys.executable).parent
LIMITS = ("--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1024:1024")


class Jubako:
    """Our own command line on a state directory of its own."""

    def __init__(self, work: Path) -> None:
        self.root, self.run_root = work / "jubako", work / "run" / "jubako"
        self.argv = (str(BIN / "jubako"), "--root", str(self.root), "--run-root", str(self.run_root))
        self.cold = {**os.environ, "JUBAKO_KEEPER": "0"}

    def __call__(self, *arguments: str, env: Mapping[str, str] | None = None) -> None:
        command(*self.argv, *arguments, env=env)()

    def close(self) -> None:
        self("system", "prune", "-a", "-f", "--volumes")


class Podman:
    """podman over runc: Debian's crun refuses a hybrid cgroup layout, and rlimits cannot be raised everywhere."""

    def __init__(self, work: Path) -> None:
        self.argv = (
            "podman",
            "--root",
            str(work / "podman"),
            "--runroot",
            str(work / "run" / "podman"),
            "--runtime",
            "runc",
            "--cgroup-manager",
            "cgroupfs",
        )

    def __call__(self, *arguments: str) -> None:
        command(*self.argv, *arguments)()

    def close(self) -> None:
        subprocess.run([*self.argv, "rm", "-f", "-a", "-t", "0"], capture_output=True, check=False)
        subprocess.run(["umount", "/run/netns"], capture_output=True, check=False)
        forget_network("cni-podman0")


class Docker:
    """A dockerd of our own on a socket of its own."""

    def __init__(self, work: Path) -> None:
        self._base = work / "docker"
        self._base.mkdir()
        socket = f"unix://{self._base}/s.sock"
        self.argv = ("docker", "-H", socket)
        self._log = (self._base / "log").open("wb")
        self._daemon = subprocess.Popen(
            [
                "dockerd",
                "--data-root",
                str(self._base / "data"),
                "--exec-root",
                str(work / "run" / "docker"),
                "-H",
                socket,
                "-p",
                str(self._base / "pid"),
                "--default-ulimit",
                "nofile=1024:1024",
            ],
            stdout=self._log,
            stderr=self._log,
            start_new_session=True,
        )
        for _ in range(300):
            if subprocess.run([*self.argv, "version"], capture_output=True, check=False).returncode == 0:
                return
            time.sleep(0.1)
        self.close()
        raise RuntimeError("dockerd did not start: " + (self._base / "log").read_text()[-800:])

    def __call__(self, *arguments: str) -> None:
        command(*self.argv, *arguments)()

    def close(self) -> None:
        listed = subprocess.run([*self.argv, "ps", "-aq"], capture_output=True, text=True, check=False).stdout.split()
        if listed:
            subprocess.run([*self.argv, "rm", "-f", *listed], capture_output=True, check=False)
        self._daemon.send_signal(signal.SIGTERM)
        try:
            self._daemon.wait(30)
        except subprocess.TimeoutExpired:
            self._daemon.kill()
            self._daemon.wait()
        self._log.close()
        forget_network("docker0")


def forget_network(bridge: str) -> None:
    """Remove what a peer leaves for its next start; the network namespace is ours alone."""
    subprocess.run(["ip", "link", "delete", bridge], capture_output=True, check=False)
    for family in ("ip", "ip6"):
        for table in ("filter", "nat"):
            subprocess.run(["nft", "delete", "table", family, table], capture_output=True, check=False)


class Bench:
    """What a row needs: ourselves, the peers that this machine has, and a place for files."""

    def __init__(self, work: Path, *, peers: bool) -> None:
        self.work = work
        self.jubako = Jubako(work)
        self.podman = Podman(work) if peers and shutil.which("podman") and shutil.which("runc") else None
        self.docker = Docker(work) if peers and shutil.which("dockerd") else None

    def containers(self) -> dict[str, Podman | Docker]:
        """The peers that run containers, by name."""
        peers: dict[str, Podman | Docker] = {}
        if self.podman:
            peers["podman"] = self.podman
        if self.docker:
            peers["docker"] = self.docker
        return peers

    def give_image(self) -> None:
        """Bring the same busybox image into every engine."""
        archive = self.work / "busybox.tar"
        self.jubako("image", "bootstrap", "busybox")
        self.jubako("save", "-o", str(archive), "busybox")
        for peer in self.containers().values():
            peer("load", "-i", str(archive))

    def close(self) -> None:
        for party in [*self.containers().values(), self.jubako]:
            party.close()


@contextmanager
def bench(work: Path, *, peers: bool = True) -> Iterator[Bench]:
    """Set everybody up in `work`, and take everybody down."""
    run = work / "run"
    run.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=755", "run", str(run)], check=True)
    parties = Bench(work, peers=peers)
    try:
        parties.give_image()
        yield parties
    finally:
        parties.close()
        subprocess.run(["umount", "--lazy", str(run)], check=True)
