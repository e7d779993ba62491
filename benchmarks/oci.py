"""The rows of jubako-oci against runc: the same bundle, each with a state directory of its own."""

from __future__ import annotations

import itertools
import json
import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks import files
from benchmarks.measure import Action, interleaved, summary
from benchmarks.peers import BIN, Bench
from benchmarks.rows import row

COLD = {**os.environ, "JUBAKO_KEEPER": "0"}
NAMES = (f"bench-{os.getpid()}-{number}" for number in itertools.count())


def bundle(path: Path, *args: str) -> Path:
    """What `runc spec` makes of busybox, without a terminal."""
    files.busybox_rootfs(path / "rootfs")
    subprocess.run(["runc", "spec"], cwd=path, check=True)
    config = json.loads((path / "config.json").read_text())
    config["process"] |= {"terminal": False, "args": list(args)}
    (path / "config.json").write_text(json.dumps(config))
    return path


class Runtime:
    """One runtime on a state directory of its own. Streams are files: a container that stays would hold a pipe open."""

    def __init__(self, command: str, state: Path) -> None:
        self.argv = (command, "--root", str(state))

    def __call__(self, *arguments: str, env: Mapping[str, str] | None = None) -> None:
        null = subprocess.DEVNULL
        subprocess.run([*self.argv, *arguments], env=env, check=True, stdin=null, stdout=null)

    def running(self, path: Path, env: Mapping[str, str] | None = None) -> Action:
        """An action that runs the bundle at `path` under a new name."""
        return lambda: self("run", "-b", str(path), next(NAMES), env=env)

    def executing(self, name: str) -> Action:
        return lambda: self("exec", name, "/bin/true")


def pair(bench: Bench) -> tuple[Runtime, Runtime]:
    state = bench.work / "run" / "oci"
    return Runtime(str(BIN / "jubako-oci"), state / "jubako"), Runtime("runc", state / "runc")


def _run(bench: Bench, rounds: int, path: str, goal: float, env: Mapping[str, str] | None = None) -> dict[str, Any]:
    ours, runc = pair(bench)
    made = bundle(bench.work / path, "/bin/true")
    contenders = {"jubako-oci": ours.running(made, env), "runc": runc.running(made)}
    return summary(interleaved(contenders, rounds * 2, warm_up=4), {"runc": goal})


@row("jubako-oci run of a bundle, with a keeper")
def oci_run(bench: Bench, rounds: int) -> dict[str, Any]:
    return _run(bench, rounds, "oci-warm", 0.5)


@row("jubako-oci run of a bundle, cold")
def oci_run_cold(bench: Bench, rounds: int) -> dict[str, Any]:
    return _run(bench, rounds, "oci-cold", 1.5, COLD)


@row("jubako-oci exec of /bin/true, with a keeper")
def oci_exec(bench: Bench, rounds: int) -> dict[str, Any]:
    runtimes: Sequence[Runtime] = pair(bench)
    made = bundle(bench.work / "oci-exec", "/bin/busybox", "sleep", "3600")
    names = [next(NAMES) for _ in runtimes]
    try:
        for runtime, name in zip(runtimes, names, strict=True):
            runtime("run", "-d", "-b", str(made), name)
        contenders = {
            Path(runtime.argv[0]).name: runtime.executing(name) for runtime, name in zip(runtimes, names, strict=True)
        }
        return summary(interleaved(contenders, rounds * 2, warm_up=4), {"runc": 0.5})
    finally:
        for runtime, name in zip(runtimes, names, strict=True):
            runtime("delete", "--force", name)
