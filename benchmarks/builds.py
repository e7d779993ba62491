"""The builder against docker's classic one and buildah's."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks import files
from benchmarks.measure import Action, command, interleaved, summary
from benchmarks.peers import Bench

_CACHED = "steps"


def rebuild(bench: Bench, rounds: int) -> dict[str, Any]:
    context = files.twenty_steps(bench.work / "context-cached")
    return summary(interleaved(_contenders(bench, context), rounds, warm_up=2), _goals(bench, 0.40))


def cold(bench: Bench, rounds: int) -> dict[str, Any]:
    context = files.twenty_steps(bench.work / "context-cold")
    return summary(interleaved(_contenders(bench, context, "--no-cache"), max(rounds // 5, 3)), _goals(bench, 0.70))


def change(bench: Bench, rounds: int) -> dict[str, Any]:
    """The last step copies what changes before each build."""
    context = files.twenty_steps(bench.work / "context-change")
    (context / "last").write_text("")
    with (context / "Dockerfile").open("a") as dockerfile:
        dockerfile.write("COPY last /last\n")
    contenders = {name: _changing(context, action) for name, action in _contenders(bench, context).items()}
    return summary(interleaved(contenders, rounds, warm_up=2), _goals(bench, 0.50))


def _changing(context: Path, action: Action) -> Action:
    def act() -> None:
        (context / "last").write_text(f"{time.time_ns()}\n")
        action()

    return act


def _contenders(bench: Bench, context: Path, *options: str) -> dict[str, Action]:
    ours = command(*bench.jubako.argv, "build", "-q", *options, "-t", _CACHED, str(context))
    found: dict[str, Action] = {"jubako": ours}
    if bench.docker:
        # A client of today has BuildKit in a plugin of its own, which Debian does not have.
        env = {**os.environ, "DOCKER_BUILDKIT": "0"}
        argv = (*bench.docker.argv, "build", "-q", *options, "-t", _CACHED, str(context))
        found["docker"] = command(*argv, env=env)
    if shutil.which("buildah"):
        found["buildah"] = command(*_buildah(bench), *_layers(options), "-t", _CACHED, str(context))
    return found


def _layers(options: Sequence[str]) -> Sequence[str]:
    return options or ("--layers",)


def _buildah(bench: Bench) -> tuple[str, ...]:
    """Its storage is its own, with the same busybox; chroot isolation is its quickest."""
    storage = ("--root", str(bench.work / "buildah"), "--runroot", str(bench.work / "run" / "buildah"))
    base = ("buildah", *storage)
    if subprocess.run([*base, "inspect", "busybox"], capture_output=True, check=False).returncode:
        archive = f"docker-archive:{bench.work / 'busybox.tar'}"
        command(*base, "pull", "-q", archive)()
    return (*base, "bud", "-q", "--isolation=chroot", "--network=host")


def _goals(bench: Bench, goal: float) -> dict[str, float]:
    peers = {"docker": goal} if bench.docker else {}
    return {**peers, "buildah": goal} if shutil.which("buildah") else peers
