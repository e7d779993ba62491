"""kill -9 of the server during pushes loses nothing acknowledged and keeps nothing corrupt."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from contextlib import closing

import msgspec
import pytest
import urllib3

from jubako.registry.server.collect import collect
from jubako.registry.server.state import State
from jubako.spec.oci_image import CONFIG, LAYER_GZIP, MANIFEST, Descriptor, Manifest

from .peer import Http, digest_of

pytestmark = pytest.mark.root
PROGRAM = """
import sys
from pathlib import Path
from jubako.registry.server import configured, serve
serve(configured(Path(sys.argv[1]), "127.0.0.1:0"), ready=lambda url: print(url, flush=True))
"""
# A run of many: JUBAKO_KILLS=100.
KILLS = int(os.environ.get("JUBAKO_KILLS", "10"))
PUSHERS = 8


class Server:
    """The registry as a process of its own."""

    def __init__(self, root):
        command = [sys.executable, "-c", PROGRAM, str(root)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        self.http = Http(self.process.stdout.readline().strip())

    def end(self, number):
        self.process.send_signal(number)
        self.process.stdout.close()
        return self.process.wait(30)


class Pusher(threading.Thread):
    """Pushes one image after the other until the server is gone; remembers what was acknowledged."""

    def __init__(self, http, seed):
        super().__init__()
        self.http, self.random = http, random.Random(seed)
        self.blobs, self.manifests = {}, {}

    def run(self):
        try:
            while True:
                self.push(f"repository{self.random.randrange(3)}")
        except urllib3.exceptions.HTTPError:
            pass

    def push(self, name):
        layer, config = self.random.randbytes(self.random.randrange(1, 1_500_000)), self.random.randbytes(100)
        for data in (layer, config):
            location = self.http("POST", f"/v2/{name}/blobs/uploads/").headers["Location"]
            cut = self.random.randrange(len(data))
            assert self.http("PATCH", location, data[:cut]).status == 202
            assert self.http("PUT", f"{location}?digest={digest_of(data)}", data[cut:]).status == 201
            self.blobs[name, digest_of(data)] = data
        document = Manifest(
            media_type=MANIFEST,
            config=Descriptor(media_type=CONFIG, digest=digest_of(config), size=len(config)),
            layers=[Descriptor(media_type=LAYER_GZIP, digest=digest_of(layer), size=len(layer))],
        )
        manifest = msgspec.json.encode(document)
        assert self.http("PUT", f"/v2/{name}/manifests/latest", manifest, Content_Type=MANIFEST).status == 201
        self.manifests[name, digest_of(manifest)] = manifest


def test_kills_at_random_moments_lose_nothing_and_leave_nothing_corrupt(registry_root):
    blobs, manifests = {}, {}
    for number in range(KILLS):
        server = Server(registry_root)
        pushers = [Pusher(server.http, seed=number * 10 + offset) for offset in range(PUSHERS)]
        for pusher in pushers:
            pusher.start()
        time.sleep(random.Random(number).uniform(0.05, 0.6))
        server.end(signal.SIGKILL)
        for pusher in pushers:
            pusher.join()
            blobs |= pusher.blobs
            manifests |= pusher.manifests
    assert len(manifests) > KILLS / 2
    server = Server(registry_root)
    try:
        check(server.http, registry_root, blobs, manifests)
        collect(registry_root, grace_s=-3600)
        assert not list((registry_root / "uploads").iterdir())
        assert {f"sha256:{path.name}" for path in (registry_root / "blobs" / "sha256").iterdir()} == named(
            registry_root
        )
        assert not list((registry_root / "ingest").iterdir())
        for (name, digest), data in manifests.items():
            assert server.http("GET", f"/v2/{name}/manifests/{digest}").data == data
            for wanted in [key for key in blobs if key[0] == name and key[1].encode() in data]:
                assert server.http("HEAD", f"/v2/{name}/blobs/{wanted[1]}").status == 200
    finally:
        assert server.end(signal.SIGTERM) == 0


def named(root):
    """All digests that manifests lead to, by the records; a push that nobody acknowledged may have left some."""
    with closing(State(root)) as state:
        entries = dict(state.read.manifests.items())
        assert all(entry.gone for _, entry in state.read.condemned.items())
        return {key.partition("@")[2] for key in entries} | {blob for entry in entries.values() for blob in entry.blobs}


def check(http, root, blobs, manifests):
    for path in (root / "blobs" / "sha256").iterdir():
        assert digest_of(path.read_bytes()) == f"sha256:{path.name}"
    for (name, digest), data in blobs.items():
        assert http("GET", f"/v2/{name}/blobs/{digest}").data == data
    for (name, digest), data in manifests.items():
        assert http("GET", f"/v2/{name}/manifests/{digest}").data == data


def test_sigterm_lets_a_push_in_flight_end(registry_root):
    server = Server(registry_root)
    data = os.urandom(3_000_000)
    location = server.http("POST", "/v2/a/blobs/uploads/").headers["Location"]
    statuses = []

    def pieces():
        yield data[:1_500_000]
        server.process.send_signal(signal.SIGTERM)
        time.sleep(0.3)
        yield data[1_500_000:]

    pool = urllib3.PoolManager(retries=False, timeout=20)
    url = f"{server.http.base}{location}?digest={digest_of(data)}"
    statuses.append(pool.request("PUT", url, body=pieces(), headers={"Content-Length": str(len(data))}).status)
    assert statuses == [201]
    assert server.process.wait(20) == 0
    server.process.stdout.close()
    again = Server(registry_root)
    assert again.http("GET", f"/v2/a/blobs/{digest_of(data)}").data == data
    assert again.end(signal.SIGTERM) == 0
