"""No space, read-only file systems: one clear message that names the path, nothing left, and it goes on afterwards."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.root

FULL = """
import os, sys
from jubako.errors import ResourceExhausted
from jubako.snapshot import Overlay
from jubako.store import Store, digest, sweep
from jubako.volume import Volumes

root = sys.argv[1] + "/store"
store = Store.open(root)
records = store.records.collection("box", str)
records.insert("before", "x")
kept = store.blobs.put(b"kept").digest

def refused(action):
    try:
        action()
    except ResourceExhausted as error:
        assert root in str(error), error
        assert "No space left" in str(error) or "full" in str(error), error
        assert error.hint
    else:
        raise AssertionError(action)

def fill_blob():
    with store.blobs.writer() as writer:
        while True:
            writer.write(os.urandom(1 << 16))

def fill_disk():
    with open(root + "/upper", "wb", buffering=0) as stream:
        try:
            while stream.write(bytes(1 << 12)):
                pass
        except OSError:
            pass

def fill_records():
    while True:
        records.insert(os.urandom(8).hex(), "x" * 50_000)

def inodes():
    number = 0
    while True:
        number += 1
        Overlay(store).prepare(str(number), [])

refused(fill_blob)
assert os.listdir(store.ingest.path) == []
fill_disk()
refused(fill_records)
store.close()
store = Store.open(root)
records = store.records.collection("box", str)
for key in records.keys():
    if key != "before":
        records.delete(key)
os.unlink(root + "/upper")
refused(inodes)
for key in Overlay(store).keys():
    Overlay(store).remove(key)
store.close()

with Store.open(root) as store:
    assert store.records.collection("box", str).keys() == ["before"]
    assert store.blobs.read(kept) == b"kept"
    sweep(store, list)
    assert list(store.blobs) == os.listdir(store.ingest.path) == []
print("ok")
"""

READ_ONLY = """
import os, subprocess, sys
from jubako.errors import PermissionDenied
from jubako.store import Store
from jubako.snapshot import Overlay

root = sys.argv[1] + "/store"
with Store.open(root) as store:
    store.records.collection("box", str).insert("a", "x")
    kept = store.blobs.put(b"kept").digest
subprocess.run(["mount", "-o", "remount,ro", sys.argv[1]], check=True)

def refused(action):
    try:
        action()
    except PermissionDenied as error:
        assert root in str(error), error
        assert error.hint
    else:
        raise AssertionError(action)

with Store.open(root) as store:
    assert store.blobs.read(kept) == b"kept"
    refused(lambda: store.blobs.put(b"new"))
    refused(lambda: store.records.collection("box", str).insert("b", "x"))
    refused(lambda: Overlay(store).prepare("box", []))
    refused(lambda: store.leases.hold().__enter__())
refused(lambda: Store.open(sys.argv[1] + "/store/other"))
print("ok")
"""


@pytest.mark.parametrize("script", [FULL, READ_ONLY], ids=["full", "read-only"])
def test_it_says_what_is_wrong_and_where(tmp_path: Path, script: str) -> None:
    mount = f'mount -t tmpfs -o size=24m,nr_inodes=300 tmpfs "{tmp_path}" && exec "$@" "{tmp_path}"'
    command = ["unshare", "--mount", "sh", "-c", mount, "sh", sys.executable, "-c", script]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (result.stdout, result.stderr) == ("ok\n", "")
