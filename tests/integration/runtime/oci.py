"""A bundle of its own, and `jubako-oci` on a state directory of its own."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from jubako.linux import cgroup


def group_name(container: str) -> str:
    """The container's control group: one of this run's own, whoever else tests on this machine."""
    return f"test-{os.getpid()}-{container}"


class Oci:
    def __init__(self, base: Path, image: Path) -> None:
        self.base = base
        self.bundle = base / "bundle"
        self.own_groups = True  # each container that is made is in the group of its name
        self.bundle.mkdir()
        (self.bundle / "rootfs").symlink_to(image)
        assert self("spec", "-b", str(self.bundle)).returncode == 0

    def command(self, *arguments: str) -> list[str]:
        return [str(Path(sys.executable).parent / "jubako-oci"), "--root", str(self.base / "state"), *arguments]

    def group(self, container: str) -> str:
        return group_name(container)

    def __call__(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return self.under([], *arguments)

    def under(self, wrapper: Sequence[str], *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run by the command `wrapper`. Output goes to files: a container that is left running would hold a pipe."""
        if self.own_groups and arguments[:1] in (("create",), ("run",)):
            with contextlib.suppress(ValueError, KeyError, TypeError):  # a configuration that is to be wrong stays so
                self.linux(cgroupsPath=self.group(arguments[-1]))
        command = [*wrapper, *self.command(*arguments)]
        out, err = self.base / "out", self.base / "err"
        with out.open("w") as stdout, err.open("w") as stderr:
            code = subprocess.run(
                command, stdin=subprocess.DEVNULL, stdout=stdout, stderr=stderr, timeout=60, check=False
            )
        return subprocess.CompletedProcess(command, code.returncode, out.read_text(), err.read_text())

    def edit(self, change: Callable[[dict[str, Any]], object]) -> None:
        """Edit config.json."""
        path = self.bundle / "config.json"
        config = json.loads(path.read_text())
        change(config)
        path.write_text(json.dumps(config))

    def configure(self, *args: str, **process: object) -> None:
        wanted = {"terminal": False, "args": list(args), "env": ["PATH=/bin"], **process}
        self.edit(lambda config: config["process"].update(wanted))

    def linux(self, **properties: object) -> None:
        """Set properties of the specification's `linux` object."""
        self.edit(lambda config: config["linux"].update(properties))

    def resources(self, **resources: object) -> None:
        """Set `linux.resources`; devices are denied but for those that every container has."""
        self.linux(resources={"devices": [{"allow": False, "access": "rwm"}], **resources})

    def setting(self, container: str, file: str) -> str:
        """A control file of the container's group, of whichever hierarchy has it; "" when it is in no such group."""
        found = cgroup.find_hierarchies(Path("/proc/self/mountinfo").read_text())
        controller = file.partition(".")[0]
        for root in (found.v1.get(controller, ""), found.unified):
            path = Path(root) / cgroup.PARENT / group_name(container) / file
            if root and path.exists():
                return path.read_text().strip()
        return ""

    def mount(self, source: Path | str, destination: str, *options: str, **more: object) -> None:
        entry = {"destination": destination, "source": str(source), "options": list(options or ("rbind",)), **more}
        self.edit(lambda config: config["mounts"].append(entry))

    def hook(self, kind: str, script: str, **more: object) -> None:
        entry = {"path": "/bin/sh", "args": ["sh", "-c", script], **more}
        self.edit(lambda config: config.setdefault("hooks", {}).setdefault(kind, []).append(entry))

    def run(self, *arguments: str, through: Sequence[str] = ()) -> str:
        """What the container prints; it must succeed."""
        done = self.under(through, "run", "-b", str(self.bundle), *arguments, "one")
        assert done.returncode == 0, done.stderr
        return done.stdout

    def status(self, name: str) -> str:
        status: str = json.loads(self("state", name).stdout)["status"]
        return status

    def create(self, name: str) -> None:
        done = self("create", "-b", str(self.bundle), name)
        assert done.returncode == 0, done.stderr

    def wait_for(self, name: str, status: str) -> None:
        deadline = time.monotonic() + 10
        while self.status(name) != status:
            assert time.monotonic() < deadline, f"{name} is {self.status(name)}, not {status}"
            time.sleep(0.01)

    def change(self, **parts: object) -> None:
        """Set top-level properties of config.json; None takes one away."""
        self.edit(lambda config: config.update(parts))
        gone = [name for name, value in parts.items() if value is None]
        self.edit(lambda config: [config.pop(name) for name in gone])
