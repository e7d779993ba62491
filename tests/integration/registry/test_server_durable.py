"""What is acknowledged would survive a loss of power: the order of system calls before each answer."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys

import pytest

from jubako.spec.oci_image import CONFIG, MANIFEST

from .peer import Http, digest_of

pytestmark = pytest.mark.root
PROGRAM = """
import sys
from pathlib import Path
from jubako.registry.server import configured, serve
serve(configured(Path(sys.argv[1]), "127.0.0.1:0"), ready=lambda url: print(url, flush=True))
"""
CALLS = "trace=fsync,fdatasync,link,linkat,write,pwrite64,sendto,sendmsg"


class Traced:
    """A registry under strace; `calls` since it began, with paths in place of descriptors."""

    def __init__(self, root, log):
        self.log = log
        command = [
            "strace",
            "-f",
            "-y",
            "-s",
            "64",
            "-e",
            CALLS,
            "-o",
            str(log),
            sys.executable,
            "-c",
            PROGRAM,
            str(root),
        ]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        self.http = Http(self.process.stdout.readline().strip())

    def end(self):
        (child,) = subprocess.run(["pgrep", "-P", str(self.process.pid)], capture_output=True, text=True).stdout.split()
        os.kill(int(child), signal.SIGTERM)
        self.process.stdout.close()
        assert self.process.wait(30) == 0
        return self.log.read_text().splitlines()


def where(calls, pattern, start=0):
    """The first call after `start` that matches; strace shows one that was interrupted by others in two lines."""
    for position in range(start, len(calls)):
        if re.search(pattern, calls[position]):
            return position
    pytest.fail(f"no {pattern} among the calls after {start}")


@pytest.fixture
def traced(registry_root, tmp_path):
    return Traced(registry_root, tmp_path / "strace.log")


def test_blob_is_synced_named_and_recorded_before_201(traced):
    data = os.urandom(100_000)
    digest = digest_of(data)
    location = traced.http("POST", "/v2/a/blobs/uploads/", b"").headers["Location"]
    session = location.rpartition("/")[2]
    assert traced.http("PUT", f"{location}?digest={digest}", data).status == 201
    calls = traced.end()
    written = where(calls, rf"pwrite64\(.*uploads/{session}")
    synced = where(calls, rf"fsync\(.*uploads/{session}", written)
    named = where(calls, rf"link.*{digest[7:]}", synced)
    directory = where(calls, r"fsync\(.*blobs/sha256>", named)
    recorded = where(calls, r"pwrite64\(.*jubako\.db-wal", directory)
    log = where(calls, r"f(data)?sync\(.*jubako\.db-wal", recorded)
    where(calls, r"send.*201 Created", log)
    assert not any("201 Created" in call for call in calls[:log])


def test_manifest_and_its_deletion_are_durable_before_the_answer(traced):
    config = traced.http.push_blob("a", b"{}")
    described = {"mediaType": CONFIG, "digest": config, "size": 2}
    data = json.dumps({"schemaVersion": 2, "mediaType": MANIFEST, "config": described, "layers": []}).encode()
    assert traced.http("PUT", "/v2/a/manifests/v1", data, Content_Type=MANIFEST).status == 201
    assert traced.http("DELETE", "/v2/a/manifests/v1").status == 202
    calls = traced.end()
    named = where(calls, rf"link.*{digest_of(data)[7:]}")
    log = where(calls, r"f(data)?sync\(.*jubako\.db-wal", where(calls, r"fsync\(.*blobs/sha256>", named))
    created = where(calls, r"send.*201 Created", log)
    deleted = where(calls, r"pwrite64\(.*jubako\.db-wal", created)
    log = where(calls, r"f(data)?sync\(.*jubako\.db-wal", deleted)
    assert where(calls, r"send.*202 Accepted", created) > log
