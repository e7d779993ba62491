"""The rows of the performance budget (docs/internals/performance.md); a row returns what measure.summary makes."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from benchmarks import builds, files, registry, transfers
from benchmarks.measure import Action, command, interleaved, summary
from benchmarks.peers import LIMITS, Bench

Row = Callable[[Bench, int], dict[str, Any]]
ROWS: dict[str, tuple[str, Row]] = {}


def row(title: str) -> Callable[[Row], Row]:
    """Register a row under its function's name."""

    def register(function: Row) -> Row:
        ROWS[function.__name__] = (title, function)
        return function

    return register


def _run_none(bench: Bench) -> dict[str, Action]:
    arguments = ("run", "--rm", "--network", "none")
    return {
        name: command(*peer.argv, *arguments, *(LIMITS if name == "podman" else ()), "busybox", "/bin/true")
        for name, peer in bench.containers().items()
    }


@row("run --rm --network none, with a keeper")
def run_none(bench: Bench, rounds: int) -> dict[str, Any]:
    ours = command(*bench.jubako.argv, "run", "--rm", "--network", "none", "busybox", "/bin/true")
    return summary(
        interleaved({"jubako": ours, **_run_none(bench)}, rounds, warm_up=3), {"podman": 0.10, "docker": 0.06}
    )


@row("run --rm --network none, cold")
def run_none_cold(bench: Bench, rounds: int) -> dict[str, Any]:
    ours = command(
        *bench.jubako.argv, "run", "--rm", "--network", "none", "busybox", "/bin/true", env=bench.jubako.cold
    )
    return summary(interleaved({"jubako": ours, **_run_none(bench)}, rounds), {"podman": 0.60, "docker": 0.30})


@row("run --rm on a bridge with a published port, with a keeper")
def run_port(bench: Bench, rounds: int) -> dict[str, Any]:
    ports = {"jubako": "18080", "podman": "18081", "docker": "18082"}
    contenders = {
        "jubako": command(*bench.jubako.argv, "run", "--rm", "-p", f"{ports['jubako']}:80", "busybox", "/bin/true")
    }
    for name, peer in bench.containers().items():
        limits = LIMITS if name == "podman" else ()
        contenders[name] = command(
            *peer.argv, "run", "--rm", *limits, "-p", f"{ports[name]}:80", "busybox", "/bin/true"
        )
    return summary(interleaved(contenders, rounds, warm_up=2), {"podman": 0.08, "docker": 0.10})


@row("start to exit through the Python API, in a warm process")
def api(bench: Bench, rounds: int) -> dict[str, Any]:
    import jubako

    rootfs = files.busybox_rootfs(bench.work / "bwrap-root")
    options = jubako.CreateOptions(image="busybox", command=["/bin/true"], network="none", auto_remove=True)
    floor = command(
        "bwrap", "--unshare-all", "--bind", str(rootfs), "/", "--proc", "/proc", "--dev", "/dev", "/bin/true"
    )
    with jubako.Engine(bench.jubako.root, bench.jubako.run_root) as engine:

        def ours() -> None:
            assert engine.run(options).exit_code == 0

        contenders = {"jubako": ours, "bwrap": floor}
        return summary(interleaved(contenders, rounds * 3, warm_up=5, settle_s=0), {"bwrap": 2.0})


@row("exec of /bin/true in a running container")
def exec_true(bench: Bench, rounds: int) -> dict[str, Any]:
    parties: dict[str, Any] = {"jubako": bench.jubako, **bench.containers()}
    contenders = {}
    for name, party in parties.items():
        limits = LIMITS if name == "podman" else ()
        party("run", "-d", "--name", "exec-target", "--network", "none", *limits, "busybox", "sleep", "3600")
        contenders[name] = command(*party.argv, "exec", "exec-target", "/bin/true")
    try:
        return summary(interleaved(contenders, rounds, warm_up=2), {"podman": 0.40, "docker": 0.40})
    finally:
        for party in parties.values():
            party("rm", "-f", "exec-target")


@row("100 containers started 8 at a time")
def parallel(bench: Bench, rounds: int) -> dict[str, Any]:
    def hundred(one: Action) -> Action:
        def action() -> None:
            with ThreadPoolExecutor(8) as pool:
                for job in [pool.submit(one) for _ in range(100)]:
                    job.result()

        return action

    ours = command(*bench.jubako.argv, "run", "--rm", "--network", "none", "busybox", "/bin/true")
    contenders = {"jubako": hundred(ours)} | {name: hundred(one) for name, one in _run_none(bench).items()}
    return summary(interleaved(contenders, 1, warm_up=0), {"podman": 1 / 3, "docker": 1 / 3})


@row("memory that a running container adds besides its own process")
def memory(bench: Bench, rounds: int) -> dict[str, Any]:
    bench.jubako("run", "-d", "--name", "memory", "--network", "none", "busybox", "sleep", "3600")
    try:
        shown = subprocess.run(
            [*bench.jubako.argv, "inspect", "-f", "{{.State.Pid}}", "memory"],
            capture_output=True,
            text=True,
            check=True,
        )
        return {"pss_kib": files.pss_kib(files.parent_of(int(shown.stdout))), "goal_kib": 1024}
    finally:
        bench.jubako("rm", "-f", "memory")


@row("load and unpack a gzip layer of 20,000 files")
def load(bench: Bench, rounds: int) -> dict[str, Any]:
    archive = files.image_of_many_files(bench.work, 20_000)

    def loading(party: Any) -> Action:
        def action() -> None:
            party("load", "-i", str(archive))

        return action

    def forget(party: Any) -> None:
        party("rmi", "-f", "many:1")

    parties: dict[str, Any] = {"jubako": bench.jubako, **bench.containers()}
    times: dict[str, list[float]] = {name: [] for name in parties}
    for _ in range(max(3, rounds // 4)):
        for name, party in parties.items():
            subprocess.run(["sync"], check=True)
            start = time.perf_counter()
            loading(party)()
            times[name].append(time.perf_counter() - start)
            forget(party)
    return summary(times, {"podman": 0.40, "docker": 0.40})


@row("pull of 5 layers, 500 MB, from a registry on this machine")
def pull(bench: Bench, rounds: int) -> dict[str, Any]:
    return transfers.pull(bench, rounds)


@row("push of a layer of 20,000 files to an empty registry on this machine")
def push(bench: Bench, rounds: int) -> dict[str, Any]:
    return transfers.push(bench, rounds)


@row("save of an image with a layer of 20,000 files")
def save(bench: Bench, rounds: int) -> dict[str, Any]:
    return transfers.save(bench, rounds)


ROWS["rebuild"] = ("rebuild of a 20-step Dockerfile, everything cached", builds.rebuild)
ROWS["build_cold"] = ("the same, nothing cached", builds.cold)
ROWS["build_change"] = ("the same, after a one-line change in what the last COPY copies", builds.change)
ROWS["registry_blobs"] = ("16 clients pull 1 MiB blobs from the registry (ms for each)", registry.blobs)
ROWS["registry_manifests"] = ("16 clients get a manifest from the registry (ms for each)", registry.manifests)


def describe(path: Path, results: dict[str, Any]) -> None:
    """Write the results as JSON."""
    import json

    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(results, indent=2) + "\n")
