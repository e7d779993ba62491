"""A small installation of its own: the real front and keeper, with `program` where the command line would be."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

TOP = Path(__file__).resolve().parents[3]
PACKAGE = TOP / "src" / "jubako"
# One that every user can run; the one that runs the tests may lie in a home directory.
SYSTEM_PYTHON = Path("/usr/bin/python3")

Completed = subprocess.CompletedProcess[Any]


class Tree:
    """bin/jubako with Python beside it, lib/…/site-packages/jubako, and `runtime`, where its keeper's socket stands."""

    def __init__(self, path: Path, front: Path, *, version: str = "one", uid: int | None = None) -> None:
        self.path = path
        self.uid = os.getuid() if uid is None else uid
        self.python = Path(sys.executable).resolve() if self.uid == os.getuid() else SYSTEM_PYTHON.resolve()
        self.command = str(path / "bin" / "jubako")
        self.site = path / "lib" / self._python_name() / "site-packages"
        self._install_programs(front)
        self._install_package(version)

    def _install_programs(self, front: Path) -> None:
        (self.path / "bin").mkdir(parents=True)
        for name in ("jubako", "jubako-oci"):
            shutil.copy2(front, self.path / "bin" / name)
        shutil.copy2(TOP / "executor" / "front" / "jubako-python", self.path / "bin")
        (self.path / "bin" / "python3").symlink_to(self.python)
        (self.path / "pyvenv.cfg").write_text(f"home = {self.python.parent}\ninclude-system-site-packages = false\n")

    def _python_name(self) -> str:
        code = "import sys; print('python%d.%d' % sys.version_info[:2])"
        return subprocess.check_output([self.python, "-c", code], text=True).strip()

    def _install_package(self, version: str) -> None:
        package = self.site / "jubako"
        ignore = shutil.ignore_patterns("__pycache__")
        shutil.copytree(PACKAGE / "cli" / "keeper", package / "cli" / "keeper", ignore=ignore)
        (package / "linux").mkdir()
        for name in ("__init__", "fd", "memory", "syscall"):
            shutil.copy2(PACKAGE / "linux" / f"{name}.py", package / "linux")
        (package / "cli" / "commands").mkdir()
        (package / "cli" / "commands" / "__init__.py").write_text("")
        (package / "__init__.py").write_text("")
        for name in ("__main__", "_invoke", "_lean", "_oci", "errors"):
            shutil.copy2(PACKAGE / f"{name}.py", package)
        program = (Path(__file__).parent / "program.py").read_text().replace('"one"', repr(version))
        (package / "cli" / "__init__.py").write_text(program)

    @property
    def runtime(self) -> Path:
        return Path("/run/jubako") if self.uid == 0 else Path(f"/tmp/jubako-{self.uid}")

    @property
    def as_user(self) -> dict[str, Any]:
        """Options that start a process as this tree's user."""
        return {"user": self.uid, "group": self.uid, "extra_groups": []}

    def environment(self, **extra: str) -> dict[str, str]:
        return {"PATH": os.environ["PATH"], "JUBAKO_KEEPER_IDLE": "60", **extra}

    def run(self, *arguments: str, env: dict[str, str] | None = None, **options: Any) -> Completed:
        options.setdefault("capture_output", True)
        options.setdefault("text", True)
        options.setdefault("timeout", 60)
        return subprocess.run([self.command, *arguments], env=self.environment(**(env or {})), **options)

    def start(self, *arguments: str, env: dict[str, str] | None = None, **options: Any) -> subprocess.Popen[Any]:
        options.setdefault("stdout", subprocess.PIPE)
        options.setdefault("text", True)
        return subprocess.Popen([self.command, *arguments], env=self.environment(**(env or {})), **options)

    def state(self, *arguments: str, **options: Any) -> dict[str, Any]:
        """What a call of this moment is given; `warm` says whether it ran in a keeper's child."""
        process = self.start("state", *arguments, **options)
        output, _ = process.communicate(timeout=60)
        state: dict[str, Any] = json.loads(output)
        state["warm"] = state["pid"] != process.pid
        return state

    def keeper(self) -> int | None:
        """The pid of this tree's keeper."""
        for proc in Path("/proc").iterdir():
            if proc.name.isdigit() and self._is_keeper(proc):
                return int(proc.name)
        return None

    def _is_keeper(self, proc: Path) -> bool:
        """The keeper and its children have one command line; nobody of the tree is the keeper's parent."""
        try:
            command = (proc / "cmdline").read_bytes().split(b"\0")
            parent = int((proc / "stat").read_text().rpartition(")")[2].split()[1])
            parents_command = Path(f"/proc/{parent}/cmdline").read_bytes().split(b"\0")
        except OSError:
            return False
        program = os.fsencode(self.path / "bin" / "jubako-python")
        return program in command and b"jubako.cli.keeper.serve" in command and program not in parents_command

    def warm_up(self, **options: Any) -> int:
        """Leave a keeper and wait until it serves; return its pid."""
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            # The spare of a keeper that was just killed may still take a call.
            if self.state(**options)["warm"] and (keeper := self.keeper()) is not None:
                return keeper
            time.sleep(0.05)
        raise AssertionError("no keeper came")

    def stop(self) -> None:
        """End the keeper, and whatever of this tree still runs."""
        keeper = self.keeper()
        if keeper is not None:
            os.kill(keeper, signal.SIGTERM)
            until(lambda: not alive(keeper))
        until(lambda: not self.processes(), else_=self._kill_all)
        if self.uid != 0:
            with contextlib.suppress(OSError):
                self.runtime.rmdir()

    def socket(self) -> Path:
        """The socket that this tree's living keeper serves."""
        for path in self.runtime.glob("keeper-*.lock"):
            with contextlib.suppress(OSError):
                if path.read_text() == f"{self.keeper()}\n":
                    return path.with_suffix(".sock")
        raise AssertionError("no socket")

    def processes(self) -> list[int]:
        found = []
        for proc in Path("/proc").iterdir():
            if proc.name.isdigit() and proc.name != str(os.getpid()):
                try:
                    command = (proc / "cmdline").read_bytes()
                except OSError:
                    continue
                if os.fsencode(self.path / "bin") in command:
                    found.append(int(proc.name))
        return found

    def _kill_all(self) -> None:
        for pid in self.processes():
            os.kill(pid, signal.SIGKILL)


def alive(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def until(condition: Any, *, timeout_s: float = 10.0, else_: Any = None) -> None:
    """Wait for `condition`; a test that waits in vain fails here, unless `else_` is there to be called."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > deadline:
            if else_ is None:
                raise AssertionError("it did not come to pass")
            else_()
            return
        time.sleep(0.01)
