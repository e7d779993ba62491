"""The rows about the registry, against docker-registry, with wrk as the client: it costs little of the two processors.

Each measure is a rate, kept as milliseconds for each request, so that a ratio below 1 is faster as in the other rows.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import urllib3

from benchmarks.measure import summary
from benchmarks.peers import BIN, Bench
from jubako.spec.oci_image import CONFIG, LAYER_TAR, MANIFEST

CLIENTS = 16
SECONDS = 2
BLOB_BYTES = 1 << 20


def blobs(bench: Bench, rounds: int) -> dict[str, Any]:
    """16 clients pull 1 MiB blobs: at least docker-registry's rate."""
    return _compare(bench, rounds, "blob", {"docker-registry": 1.0})


def manifests(bench: Bench, rounds: int) -> dict[str, Any]:
    """16 clients get a manifest by tag: at least 0.7 of docker-registry's rate."""
    return _compare(bench, rounds, "manifest", {"docker-registry": 1 / 0.7})


def _compare(bench: Bench, rounds: int, kind: str, goals: dict[str, float]) -> dict[str, Any]:
    with ExitStack() as stack:
        work = bench.work / f"registry-{kind}"
        work.mkdir()
        processes, urls = {}, {}
        for count in (2, 1):
            name = f"jubako-{count}"
            process, base = stack.enter_context(_ours(work / name, count))
            processes[name], urls[name] = process, _fill(base)[kind]
        process, base = stack.enter_context(docker_registry(work))
        processes["docker-registry"], urls["docker-registry"] = process, _fill(base)[kind]
        before = {name: _memory_kib(process) for name, process in processes.items()}
        times: dict[str, list[float]] = {name: [] for name in urls}
        for _ in range(max(3, rounds // 3)):
            for name, url in urls.items():
                times[name].append(1 / _rate(url))
        result = summary(times, goals)
        result["grown_kib"] = {name: _memory_kib(process) - before[name] for name, process in processes.items()}
        return result


@contextmanager
def _ours(root: Path, processes: int) -> Iterator[tuple[subprocess.Popen[str], str]]:
    arguments = ["registry", "serve", "--listen", "127.0.0.1:0", "--root", str(root), "--processes", str(processes)]
    env = {**os.environ, "JUBAKO_KEEPER": "0"}
    with subprocess.Popen([str(BIN / "jubako"), *arguments], stdout=subprocess.PIPE, text=True, env=env) as process:
        assert process.stdout
        try:
            yield process, process.stdout.readline().strip().rpartition(" ")[2]
        finally:
            process.terminate()


@contextmanager
def docker_registry(work: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Debian's registry with nothing in it, its files in `work`: the process, and its URL."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{probe.getsockname()[1]}"
    config = work / "config.yml"
    config.write_text(
        "version: 0.1\nlog: {level: error, accesslog: {disabled: true}}\n"
        f"storage: {{filesystem: {{rootdirectory: {work}/data}}, cache: {{blobdescriptor: inmemory}}}}\n"
        f"http: {{addr: '{address}'}}\n"
    )
    log = (work / "log").open("w")
    with log, subprocess.Popen(["docker-registry", "serve", str(config)], stdout=log, stderr=log, text=True) as process:
        try:
            _wait(address)
            yield process, f"http://{address}"
        finally:
            process.terminate()


def _wait(address: str) -> None:
    host, _, port = address.partition(":")
    for _ in range(100):
        try:
            socket.create_connection((host, int(port)), 1).close()
            return
        except OSError:
            time.sleep(0.1)
    raise RuntimeError(f"nobody listens on {address}")


def _fill(base: str) -> dict[str, str]:
    """Push a blob and a manifest, and return where they are."""
    http = urllib3.PoolManager(retries=False)

    def push(data: bytes) -> dict[str, Any]:
        digest = "sha256:" + hashlib.sha256(data).hexdigest()
        location = http.request("POST", f"{base}/v2/a/blobs/uploads/").headers["Location"]
        url = location if "://" in location else base + location
        answer = http.request("PUT", f"{url}{'&' if '?' in url else '?'}digest={digest}", body=data)
        assert answer.status == 201, answer.data
        return {"digest": digest, "size": len(data)}

    config, layer = push(b"{}"), push(os.urandom(BLOB_BYTES))
    document = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": {"mediaType": CONFIG, **config},
        "layers": [{"mediaType": LAYER_TAR, **layer}],
    }
    headers = {"Content-Type": MANIFEST}
    answer = http.request("PUT", f"{base}/v2/a/manifests/v1", body=json.dumps(document).encode(), headers=headers)
    assert answer.status == 201, answer.data
    return {"blob": f"{base}/v2/a/blobs/{layer['digest']}", "manifest": f"{base}/v2/a/manifests/v1"}


def _rate(url: str) -> float:
    """Requests a second."""
    wrk = ["wrk", "-t1", f"-c{CLIENTS}", f"-d{SECONDS}s", "-H", f"Accept: {MANIFEST}", url]
    said = subprocess.run(wrk, capture_output=True, text=True, check=True).stdout
    found = re.search(r"Requests/sec:\s+([\d.]+)", said)
    if found is None or "Non-2xx" in said or "Socket errors" in said:
        raise RuntimeError(f"wrk {url}: {said}")
    return float(found[1])


def _memory_kib(process: subprocess.Popen[str]) -> int:
    """Resident memory of a process and its children."""
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    found = 0
    for pid in (str(process.pid), *children):
        status = Path(f"/proc/{pid}/status").read_text()
        match = re.search(r"VmRSS:\s+(\d+)", status)
        found += int(match[1]) if match else 0
    return found
