"""`jubako-oci`, killed at any of its system calls; and what of a container could be left then."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from jubako.linux import cgroup

from ... import isolated, ordinary
from ...integration.runtime.conftest import image

__all__ = ["image"]

GRACE_S = 5.0
COMMAND = Path(sys.executable).parent / "jubako-oci"


@pytest.fixture(scope="session")
def kill_at(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The program of kill_at.c."""
    compiler = shutil.which("gcc")
    if not compiler:
        pytest.skip("needs gcc")
    program = tmp_path_factory.mktemp("kill") / "kill_at"
    program.parent.chmod(0o755)
    source = Path(__file__).with_name("kill_at.c")
    subprocess.run([compiler, "-Wall", "-Wextra", "-Werror", "-o", str(program), str(source)], check=True)
    return program


class Victim:
    """A runtime with one bundle. All its processes are known by a mark in their environment."""

    def __init__(self, base: Path, image: Path, kill_at: Path, uid: int = 0) -> None:
        self.bundle, self.state, self.uid = base / "bundle", base / "state", uid
        self.report, self.output = base / "report", base / "output"
        self.kill_at = kill_at
        self.mark = f"JUBAKO_TEST_MARK={os.getpid()}-{base.name}"
        name, _, value = self.mark.partition("=")
        self.env = {**os.environ, "JUBAKO_KEEPER": "0", name: value}
        self.mounts = isolated.mounts()
        self.bundle.mkdir()
        (self.bundle / "rootfs").symlink_to(image)
        for path in (base, self.bundle):
            os.chown(path, uid, uid)
        for path in (*base.parents[:-2], *image.parents[:-2]):
            path.chmod(path.stat().st_mode | 0o011)
        self.succeeds("spec", "-b", str(self.bundle), *(["--rootless"] if uid else []))

    def configure(self, *args: str) -> None:
        path = self.bundle / "config.json"
        config = json.loads(path.read_text())
        # The environment is the container's own, so the mark is put there as well.
        config["process"].update({"terminal": False, "args": [*args], "env": ["PATH=/bin", self.mark]})
        path.write_text(json.dumps(config))

    def __call__(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return self._run([str(COMMAND), "--root", str(self.state), *arguments])

    def succeeds(self, *arguments: str) -> str:
        done = self(*arguments)
        assert done.returncode == 0, f"{arguments}: {done.stdout}"
        return done.stdout

    def killed(self, who: str, at: int, *arguments: str) -> int:
        """Run the command, kill it at the `at`-th call; returns how many there were."""
        command = [str(self.kill_at), who, str(at), str(self.report)]
        assert self._run([*command, str(COMMAND), "--root", str(self.state), *arguments]).returncode == 0
        return int(self.report.read_text())

    def _run(self, command: list[str]) -> subprocess.CompletedProcess[str]:
        """Output goes to a file: a container that is left running would hold a pipe open."""
        self.output.unlink(missing_ok=True)
        if self.uid:
            command = ordinary.command(command, base=self.state.parent)
        with self.output.open("w") as output:
            done = subprocess.run(
                command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, env=self.env, timeout=60, check=False
            )
        return subprocess.CompletedProcess(command, done.returncode, self.output.read_text())

    def processes(self) -> dict[int, str]:
        found = {}
        for directory in Path("/proc").glob("[0-9]*"):
            try:
                if self.mark.encode() in (directory / "environ").read_bytes():
                    found[int(directory.name)] = (directory / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            except OSError:
                continue
        return found

    def remains(self) -> list[str]:
        """Processes, directories, groups and mounts; processes that are ending get a moment for it."""
        deadline = time.monotonic() + GRACE_S
        while self.processes() and time.monotonic() < deadline:
            time.sleep(0.01)
        directories = [str(path) for path in self.state.rglob("*")] if self.state.exists() else []
        groups = [name for name in cgroup.manager().names() if name == "victim"]
        mounts = [path for path in isolated.mounts() - self.mounts if str(self.state.parent) in path]
        return [f"{pid} {text}" for pid, text in self.processes().items()] + directories + groups + mounts

    def close(self) -> None:
        self("delete", "--force", "victim")
        for pid in self.processes():
            os.kill(pid, signal.SIGKILL)


@pytest.fixture(params=[0, ordinary.UID], ids=["root", "ordinary"])
def victim(request: pytest.FixtureRequest, tmp_path: Path, image: Path, kill_at: Path) -> Iterator[Victim]:
    made = Victim(tmp_path, image, kill_at, request.param)
    yield made
    made.close()
