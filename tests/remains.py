"""What an engine could leave behind: looked for as a stranger would, by names in the kernel and on disk."""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING

from . import isolated

if TYPE_CHECKING:
    from .conftest import Cli

GRACE_S = 10.0
# Where something of a container, an image or a build would be found; all empty after a prune.
PLACES = ("containers", "pods", "snapshots", "layers/sha256", "blobs/sha256", "ingest")
RUN_PLACES = ("containers", "pods", "build")
_CGROUP = re.compile(r"(build-|pod)?[0-9a-f]{64}")


def assert_blobs_are_whole(root: Path) -> None:
    """Every blob hashes to its name."""
    directory = root / "blobs/sha256"
    for path in directory.iterdir() if directory.is_dir() else ():
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            continue
        assert hashlib.sha256(data).hexdigest() == path.name, path


class Remains:
    """The remains of one engine that tests use in a network namespace of their own."""

    def __init__(self, cli: Cli) -> None:
        self.cli = cli
        self._mounts = isolated.mounts()
        self._cgroups = isolated.cgroups()
        self._links = isolated.links()
        self._earlier = set(self.monitors())
        self._firewall = isolated.firewall()
        self._bridges: set[str] = set()

    def assert_none_after_prune(self) -> None:
        """Remove all pods and containers and prune: then there is nothing, on disk and in the kernel."""
        pods = self.cli("pod", "ps", "-q").split()
        if pods:
            self.cli("pod", "rm", "-f", *pods)
        left = self.cli("ps", "-aq").split()
        if left:
            self.cli("rm", "-f", "-v", *left)
        self.cli("system", "prune", "-a", "-f", "--volumes")
        assert self.cli("ps", "-aq") == ""
        assert self.cli("images", "-aq") == ""
        self._assert_none(self.on_disk(PLACES, RUN_PLACES))
        self.assert_kernel_is_clean()

    def assert_none_of_containers(self) -> None:
        """Nothing but images, and what all containers on a network share: its bridge and the firewall table."""
        assert self.cli("ps", "-aq") == ""
        self._assert_none(self.on_disk(("containers", "snapshots", "ingest"), RUN_PLACES))
        self._bridges = {name for name in isolated.links() if name.startswith("jubako")}
        before, self._firewall = self._firewall, isolated.firewall()
        self.assert_kernel_is_clean()
        self._bridges, self._firewall = set(), before

    def on_disk(self, places: tuple[str, ...], run_places: tuple[str, ...]) -> list[str]:
        directories = [self.cli.root / place for place in places] + [self.cli.run_root / place for place in run_places]
        found = [str(path) for directory in directories if directory.is_dir() for path in directory.iterdir()]
        leases = self.cli.root / "leases"
        return found + [str(path) for path in leases.iterdir() if path.name != ".lock"] if leases.is_dir() else found

    def assert_kernel_is_clean(self) -> None:
        deadline = time.monotonic() + GRACE_S
        while (found := self.in_kernel()) and time.monotonic() < deadline:
            time.sleep(0.05)
        self._assert_none(found)

    def _assert_none(self, found: list[str]) -> None:
        assert not found, "left behind: " + ", ".join(found)

    def in_kernel(self) -> list[str]:
        """Monitors, mounts, links, firewall tables and groups that were not there at the beginning."""
        mounts = {path for path in isolated.mounts() - self._mounts if path.startswith(str(self.cli.root.parent))}
        links, tables = isolated.links() - self._links - self._bridges, isolated.firewall() - self._firewall
        monitors = set(self.monitors()) - self._earlier
        return [*monitors, *mounts, *links, *tables, *published(), *self._dead_cgroups()]

    def monitors(self) -> list[str]:
        """Processes of ours in this network namespace, other than keepers: executors, and what they run at the end."""
        here = os.readlink("/proc/self/ns/net")
        found = []
        for directory in Path("/proc").glob("[0-9]*"):
            try:
                command = (directory / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                ours = "jubako-monitor" in (directory / "comm").read_text() or str(self.cli.root) in command
                if ours and int(directory.name) != os.getpid() and os.readlink(directory / "ns/net") == here:
                    found.append(f"{directory.name} {command}")
            except OSError:
                continue
        return found

    def _dead_cgroups(self) -> list[str]:
        """Groups that are new and empty; one with processes may be another engine's."""
        found = []
        for path in isolated.cgroups() - self._cgroups:
            if not _CGROUP.fullmatch(Path(path).name):
                continue
            try:
                if not Path(path, "cgroup.procs").read_text():
                    found.append(path)
            except OSError:
                continue
        return found


def published() -> list[str]:
    """Ports that a firewall map of this network namespace sends to a container."""
    done = subprocess.run(["nft", "-j", "list", "maps"], capture_output=True, text=True, check=False)
    maps = [item["map"] for item in json.loads(done.stdout)["nftables"] if "map" in item] if done.stdout else []
    return [f"{each['table']} {each['name']}: {each['elem']}" for each in maps if each.get("elem")]
