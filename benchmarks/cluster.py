"""Rows of the cluster: its start, its rest, and pods. There is no peer; the numbers stand against goals."""

from __future__ import annotations

import os
import time
from pathlib import Path
from statistics import median, quantiles
from typing import Any

from benchmarks import files
from benchmarks.cluster_client import DEPLOYMENTS, PODS, Cluster, pod_spec, up
from benchmarks.measure import number, numbers
from benchmarks.peers import Bench
from benchmarks.rows import row

_REPLICAS, _SINGLE_PODS = 50, 100
_SETTLE_S, _IDLE_S = 10.0, 30.0
_TIDY_S = 3.0  # the kernel takes network namespaces down when those who were in them are long gone


@row("cluster up, until its node is Ready")
def cluster_up(bench: Bench, rounds: int) -> dict[str, Any]:
    times = []
    for _ in range(max(3, rounds // 3)):
        start = time.perf_counter()
        with up(bench):
            times.append(time.perf_counter() - start)
    return numbers(ready=number(median(times), "s", below=2.0))


@row("a cluster at rest, all of its processes")
def cluster_idle(bench: Bench, rounds: int) -> dict[str, Any]:
    with up(bench):
        time.sleep(_SETTLE_S)
        processes = _ours()
        before, start = sum(map(_cpu_s, processes)), time.monotonic()
        time.sleep(_IDLE_S)
        used = (sum(map(_cpu_s, processes)) - before) / (time.monotonic() - start)
        memory_mb = sum(map(files.pss_kib, processes)) * 1024 / 1e6
    return numbers(memory=number(memory_mb, "MB", below=100.0), core=number(used * 100, "%", below=0.5))


def _ours() -> list[int]:
    """Processes of ours in this network namespace, which is nobody else's: control plane and keeper."""
    here, found = os.readlink("/proc/self/ns/net"), []
    for directory in Path("/proc").glob("[0-9]*"):
        try:
            words = (directory / "cmdline").read_bytes().split(b"\0")
            if os.readlink(directory / "ns/net") == here and any(word.startswith(b"jubako.") for word in words):
                found.append(int(directory.name))
        except OSError:
            continue
    return found


def _cpu_s(pid: int) -> float:
    """Processor time until now (proc(5), stat)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@row("a Deployment of 50 pods, until all are Ready")
def cluster_pods(bench: Bench, rounds: int) -> dict[str, Any]:
    with up(bench) as cluster:
        _deploy(cluster, "warm-up", 2)
        times = [_deploy(cluster, f"web-{turn}", _REPLICAS) for turn in range(max(3, rounds // 3))]
    rate = number(_REPLICAS / median(times), "pods/s", above=15.0)
    return numbers(rate=rate, best=number(_REPLICAS / min(times), "pods/s"))


def _deploy(cluster: Cluster, name: str, replicas: int) -> float:
    """Seconds until all are Ready. They are gone before the next."""
    labels = {"app": name}
    template = {"metadata": {"labels": labels}, "spec": pod_spec()}
    spec = {"replicas": replicas, "selector": {"matchLabels": labels}, "template": template}
    start = time.perf_counter()
    made = cluster.call("POST", DEPLOYMENTS, {"metadata": {"name": name}, "spec": spec})
    for version in cluster.watch(DEPLOYMENTS, name, made["metadata"]["resourceVersion"]):
        if version.get("status", {}).get("readyReplicas") == replicas:
            break
    took = time.perf_counter() - start
    cluster.call("DELETE", f"{DEPLOYMENTS}/{name}")
    cluster.await_none(PODS)
    time.sleep(_TIDY_S)
    return took


@row("one pod, from its creation to Running")
def cluster_pod(bench: Bench, rounds: int) -> dict[str, Any]:
    with up(bench) as cluster:
        _run(cluster, "warm-up")
        times = [_run(cluster, f"single-{turn}") for turn in range(_SINGLE_PODS)]
    last = quantiles(times, n=100, method="inclusive")[-1]
    return numbers(median=number(median(times) * 1000, "ms"), p99=number(last * 1000, "ms", below=1000.0))


def _run(cluster: Cluster, name: str) -> float:
    start = time.perf_counter()
    made = cluster.call("POST", PODS, {"metadata": {"name": name}, "spec": pod_spec()})
    for version in cluster.watch(PODS, name, made["metadata"]["resourceVersion"]):
        if version["status"]["phase"] == "Running":
            break
    took = time.perf_counter() - start
    cluster.call("DELETE", f"{PODS}/{name}")
    cluster.await_none(PODS)
    return took
