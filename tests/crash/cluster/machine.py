"""A machine of the test's own to kill things on: a network and a mount namespace, which are made anew for a reboot."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from tests.clients import web
from tests.clients.kubectl import NEW, Kubectl, program
from tests.conftest import Cli

_DEAD_S = 10.0


class Process(NamedTuple):
    """A container's first process and its monitor; `identity` is what its environment says that it is."""

    pid: int
    monitor: int
    identity: str


class Machine:
    def __init__(self, base: Path) -> None:
        self.base = base
        self.records = base / "records"
        self.records.mkdir()
        self._boot()

    def _boot(self) -> None:
        command = [
            "unshare",
            "--net",
            "--mount",
            "--propagation",
            "private",
            "sh",
            "-c",
            "ip link set lo up; echo; exec sleep 3600",
        ]
        self._holder = subprocess.Popen(command, stdout=subprocess.PIPE)
        assert self._holder.stdout is not None
        self._holder.stdout.readline()
        self.within = ["nsenter", f"--target={self._holder.pid}", "--net", "--mount", "--"]
        self.jubako = Cli(self.base / "root", self.base / "run")
        self.jubako.env["JUBAKO_KEEPER"] = "0"
        self.jubako.argv = [*self.within, *self.jubako.argv]
        self.kubectl = Kubectl(program(NEW), self.base / "kubeconfig", within=self.within)

    def up(self) -> None:
        self.jubako("cluster", "up", "--kubeconfig", str(self.base / "kubeconfig"))

    def control_plane(self) -> int:
        return int(json.loads((self.base / "run/clusters/default/lock").read_text())["pid"])

    def processes(self) -> list[Process]:
        """The containers that run."""
        parents = dict(self._monitored())
        found = []
        for pid, monitor in parents.items():
            with suppress(OSError):
                environment = Path(f"/proc/{pid}/environ").read_bytes().decode().split("\0")
                identity = next((each.partition("=")[2] for each in environment if each.startswith("IDENTITY=")), "")
                found.append(Process(pid, monitor, identity))
        return found

    def _monitored(self) -> Iterator[tuple[int, int]]:
        here = os.readlink(f"/proc/{self._holder.pid}/ns/net")
        for directory in Path("/proc").glob("[0-9]*"):
            with suppress(OSError, IndexError):
                parent = Path("/proc") / (directory / "stat").read_text().rpartition(") ")[2].split()[1]
                if "jubako-monitor" in (parent / "comm").read_text() and os.readlink(parent / "ns/net") == here:
                    yield int(directory.name), int(parent.name)

    def reboot(self) -> None:
        """All processes, namespaces, mounts and what is in memory are gone; the disk stays."""
        self.end()
        shutil.rmtree(self.base / "run")
        self._boot()

    def end(self) -> None:
        here = os.readlink(f"/proc/{self._holder.pid}/ns/net")
        for each in self.processes():
            kill(each.monitor, each.pid)
        for directory in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):
                if os.readlink(directory / "ns/net") == here and int(directory.name) != self._holder.pid:
                    kill(int(directory.name))
        self._holder.kill()
        self._holder.wait()
        assert self._holder.stdout is not None
        self._holder.stdout.close()

    def remove(self) -> None:
        """Leave nothing, in the orderly way."""
        self.jubako("cluster", "reset")
        self.jubako("system", "prune", "-a", "-f", "--volumes")
        self.end()


def kill(*pids: int) -> None:
    """kill -9, and wait for the end; what is gone already is well."""
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    deadline = time.monotonic() + _DEAD_S
    while any(_lives(pid) for pid in pids) and time.monotonic() < deadline:
        time.sleep(0.002)


def _lives(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0] not in "ZX"
    except OSError:
        return False


def recorder(base: Path) -> Path:
    """Compile record.c."""
    return web.compiled(Path(__file__).with_name("record.c"), base / "record")


def make_image(machine: Machine) -> None:
    base = machine.base / "image"
    base.mkdir()
    recorder(base)
    (base / "Dockerfile").write_text('FROM scratch\nCOPY record /record\nENTRYPOINT ["/record"]\n')
    machine.jubako("build", "-q", "-t", "record:1", str(base))


def workload(kind: str, name: str, replicas: int, records: Path, **spec: Any) -> dict[str, Any]:
    """A StatefulSet or Deployment of pods that record that they run; each one's identity is its name."""
    facts = {"IDENTITY": "metadata.name", "UID": "metadata.uid"}
    container = {
        "name": "main", "image": "record:1", "args": ["/records"],
        "env": [{"name": key, "valueFrom": {"fieldRef": {"fieldPath": path}}} for key, path in facts.items()],
        "readinessProbe": {"exec": {"command": ["/record", "ready"]}, "periodSeconds": 1},
        "volumeMounts": [{"name": "records", "mountPath": "/records"}],
    }  # fmt: skip
    volumes = [{"name": "records", "hostPath": {"path": str(records)}}]
    pod = {"containers": [container], "volumes": volumes, "terminationGracePeriodSeconds": 2}
    template = {"metadata": {"labels": {"app": name}}, "spec": pod}
    whole = {"replicas": replicas, "selector": {"matchLabels": {"app": name}}, "template": template, **spec}
    return {"apiVersion": "apps/v1", "kind": kind, "metadata": {"name": name}, "spec": whole}


def check_history(records: Path) -> list[str]:
    """What is wrong with who ran when: a run of an identity that is told of after the next one has begun."""
    twice = records / "twice"
    wrong = [f"ran beside itself: {line}" for line in twice.read_text().splitlines()] if twice.exists() else []
    runs: dict[str, list[str]] = {}
    for line in (records / "history").read_text().splitlines():
        what, identity, uid, run, now = line.split()
        known = runs.setdefault(identity, [])
        if what == "start":
            known.append(f"{uid} {run}")
        elif known[-1] != f"{uid} {run}":
            wrong.append(f"{identity} of {uid} still there at {now}")
    return wrong
