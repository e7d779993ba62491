"""A cluster of ours for a row, and a client of its API that costs little: it shares the processors with the server."""

from __future__ import annotations

import base64
import http.client
import json
import ssl
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import msgspec
import yaml

from benchmarks.peers import Bench

TIMEOUT_S = 120.0
CONFIG_MAPS = "/api/v1/namespaces/default/configmaps"
PODS = "/api/v1/namespaces/default/pods"
DEPLOYMENTS = "/apis/apps/v1/namespaces/default/deployments"


class Cluster:
    """One that is up. Every call is one request on one connection."""

    def __init__(self, bench: Bench) -> None:
        state = bench.jubako.root / "clusters" / "default"
        self.pid = int(json.loads((bench.jubako.run_root / "clusters/default/lock").read_bytes())["pid"])
        held = yaml.safe_load((state / "kubeconfig").read_bytes())
        found, user = held["clusters"][0]["cluster"], held["users"][0]["user"]
        self.url = found["server"]
        self.tls = ssl.create_default_context(cadata=base64.b64decode(found["certificate-authority-data"]).decode())
        both = bench.work / "client.pem"
        both.write_bytes(b"".join(base64.b64decode(user[f"client-{part}-data"]) for part in ("certificate", "key")))
        self.tls.load_cert_chain(both)
        self._connection = self._connect()

    def _connect(self) -> http.client.HTTPSConnection:
        return http.client.HTTPSConnection(urlsplit(self.url).netloc, context=self.tls, timeout=TIMEOUT_S)

    def text(self, method: str, path: str, document: object = None) -> bytes:
        """What is answered; RuntimeError for a refusal."""
        body = None if document is None else json.dumps(document)
        self._connection.request(method, path, body, {"Content-Type": "application/json"})
        answer = self._connection.getresponse()
        found = answer.read()
        if answer.status >= 300:
            raise RuntimeError(f"{method} {path}: {found.decode(errors='replace')}")
        return found

    def call(self, method: str, path: str, document: object = None) -> Any:
        return msgspec.json.decode(self.text(method, path, document))

    def watch(self, path: str, name: str, since: str) -> Iterator[Any]:
        """The versions of one object from a resourceVersion on."""
        connection = self._connect()
        try:
            connection.request("GET", f"{path}?watch=1&fieldSelector=metadata.name={name}&resourceVersion={since}")
            answer = connection.getresponse()
            while line := answer.readline():
                yield json.loads(line)["object"]
        finally:
            connection.close()

    def await_none(self, path: str) -> None:
        """Until a list has nothing in it."""
        end = time.monotonic() + TIMEOUT_S
        while self.call("GET", f"{path}?limit=1")["items"]:
            if time.monotonic() > end:
                raise RuntimeError(f"{path} does not become empty")
            time.sleep(0.05)

    @asynccontextmanager
    async def session(self) -> AsyncIterator[aiohttp.ClientSession]:
        """Many requests at a time."""
        connector = aiohttp.TCPConnector(ssl=self.tls, limit=0)
        waiting = aiohttp.ClientTimeout(total=TIMEOUT_S)
        async with aiohttp.ClientSession(self.url, connector=connector, timeout=waiting, json_serialize=_json) as found:
            yield found


def _json(document: object) -> str:
    return msgspec.json.encode(document).decode()


@contextmanager
def up(bench: Bench) -> Iterator[Cluster]:
    """A cluster whose node is Ready; nothing is left of it."""
    bench.jubako("cluster", "up")
    try:
        cluster = Cluster(bench)
        await_ready(cluster)
        yield cluster
    finally:
        bench.jubako("cluster", "reset")


def await_ready(cluster: Cluster) -> None:
    end = time.monotonic() + TIMEOUT_S
    while not any(_is_ready(node) for node in cluster.call("GET", "/api/v1/nodes")["items"]):
        if time.monotonic() > end:
            raise RuntimeError("the node does not become Ready")
        time.sleep(0.005)


def _is_ready(node: Any) -> bool:
    """Its condition, and that pods may come: what it was tainted with before is gone."""
    conditions = {each["type"]: each["status"] for each in node.get("status", {}).get("conditions", [])}
    return conditions.get("Ready") == "True" and not node.get("spec", {}).get("taints")


def pod_spec() -> dict[str, Any]:
    """One container of the image that is there, which ends at once when it is told to."""
    container = {"name": "sleep", "image": "busybox", "imagePullPolicy": "IfNotPresent", "command": ["sleep", "3600"]}
    return {"terminationGracePeriodSeconds": 0, "containers": [container]}
