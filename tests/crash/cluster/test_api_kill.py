"""The API server is killed again and again under a client that writes and one that watches: they see one history."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import urllib3
from kubernetes import client, config, watch
from tests.clients.kubectl import cluster
from tests.conftest import Cli
from tests.crash.cluster.machine import kill

pytestmark = pytest.mark.root
KILLS = 8
LOST = (client.ApiException, urllib3.exceptions.HTTPError, OSError)
MANY = urllib3.Retry(0)


class Seen:
    """What the two saw: acknowledged writes and told events, each a name and the object's version, and what it held."""

    def __init__(self) -> None:
        self.acknowledged: list[tuple[int, str, str]] = []
        self.told: list[tuple[int, str, str]] = []
        self.unknown = 0
        self.over = False

    def reached(self) -> int:
        return self.told[-1][0] if self.told else 0


def api(kubeconfig: Path) -> client.CoreV1Api:
    configuration = client.Configuration()
    configuration.retries = MANY
    config.load_kube_config(str(kubeconfig), client_configuration=configuration)
    return client.CoreV1Api(client.ApiClient(configuration))


def fact(made: Any) -> tuple[int, str, str]:
    metadata = made["metadata"] if isinstance(made, dict) else made.metadata.to_dict()
    data = made.get("data") if isinstance(made, dict) else made.data
    version = metadata.get("resourceVersion") or metadata.get("resource_version")
    return int(version), metadata["name"], (data or {}).get("value", "")


def status_of(error: Exception, *expected: int) -> int:
    """What the server said, 0 where it did not; another than is expected is a failure of the test."""
    status = getattr(error, "status", None) or 0
    if status not in expected:
        raise error
    time.sleep(0.01)
    return status


def write(core: client.CoreV1Api, seen: Seen) -> None:
    """One write after the other, each with a value of its own."""
    number = 0
    while not seen.over:
        number += 1
        name, data = f"m{number % 7}", {"value": str(number)}
        body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data}
        try:
            if number <= 7:
                made = core.create_namespaced_config_map("default", body, _request_timeout=5)
            else:
                made = core.patch_namespaced_config_map(name, "default", {"data": data}, _request_timeout=5)
            seen.acknowledged.append(fact(made))
        except LOST as error:
            # What was made though nobody was told, is there; what was not, is made again.
            number -= number <= 7 and status_of(error, 0, 404, 409) != 409
            seen.unknown += 1


def follow(core: client.CoreV1Api, seen: Seen, since: str) -> None:
    """Watch on from what was told last, however often the watch breaks off."""
    while not seen.over or (seen.acknowledged and seen.reached() < seen.acknowledged[-1][0]):
        version = str(seen.reached() or since)
        listing = {"resource_version": version, "timeout_seconds": 2, "_request_timeout": 5}
        try:
            for event in watch.Watch().stream(core.list_namespaced_config_map, "default", **listing):
                assert event["type"] in ("ADDED", "MODIFIED"), event
                seen.told.append(fact(event["raw_object"]))
        except LOST as error:
            status_of(error, 0)


@pytest.fixture
def kubeconfig(tmp_path: Path) -> Iterator[Path]:
    with cluster(tmp_path) as path:
        yield path


def test_what_clients_of_a_killed_api_server_see_is_one_history(kubeconfig: Path) -> None:
    base, chance, seen = kubeconfig.parent, random.Random(7), Seen()
    jubako = Cli(base / "root", base / "run")
    core = api(kubeconfig)
    before = core.list_namespaced_config_map("default").metadata.resource_version
    with ThreadPoolExecutor(2) as pool:
        clients = [pool.submit(write, api(kubeconfig), seen), pool.submit(follow, api(kubeconfig), seen, before)]
        try:
            for _ in range(KILLS):
                time.sleep(chance.uniform(0.1, 0.8))
                kill(json.loads((base / "run/clusters/default/lock").read_text())["pid"])
                jubako("cluster", "up")
            time.sleep(0.5)
        finally:
            seen.over = True
        for each in clients:
            each.result(60)
    versions = [version for version, _, _ in seen.told]
    assert versions == sorted(set(versions)), "told twice, or out of order"
    acknowledged = [version for version, _, _ in seen.acknowledged]
    assert acknowledged == sorted(set(acknowledged)), "a version was given again, or went back"
    told = [each for each in seen.told if each[1].startswith("m")]
    assert set(seen.acknowledged) <= set(told), "an acknowledged write was lost"
    assert len(told) - len(seen.acknowledged) <= seen.unknown, "something was told that nobody wrote"
    last = {name: (version, name, value) for version, name, value in told}
    listed = [fact(each) for each in core.list_namespaced_config_map("default").items]
    assert {each for each in listed if each[1].startswith("m")} == set(last.values())
    assert len(seen.acknowledged) > 10 * KILLS
    assert seen.unknown >= 1
