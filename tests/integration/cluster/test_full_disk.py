"""The object store on a disk that is full: it says so, loses nothing, and what is deleted makes room."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.root

FULL = """
import os, sys
from pathlib import Path
from jubako.cluster.store import Create, Delete, DurableStore, Options, Retention, Update
from jubako.errors import ResourceExhausted

place = Path(sys.argv[1]) / "cluster"
store = DurableStore(place, Options(keep=Retention(events=20, grace_s=0)))

def fill(name):
    done = []
    while True:
        try:
            done += store.submit([Create(f"/{name}/{len(done)}", os.urandom(20_000))]).result(30)
        except ResourceExhausted as error:
            assert str(place) in str(error), error
            assert error.hint
            return done

def fill_disk():
    with open(sys.argv[1] + "/rest", "wb", buffering=0) as stream:
        try:
            while stream.write(bytes(1 << 12)):
                pass
        except OSError:
            pass

first = fill("first")
assert len(first) > 100
fill_disk()
try:
    store.submit([Update("/first/0", bytes(2_000_000), first[0].revision)]).result(30)
except ResourceExhausted:
    assert store.get("/first/0") == first[0].current
for event in first:
    store.submit([Delete(event.key, event.revision)]).result(30)
second = fill("second")
assert len(second) > len(first) // 2, (len(first), len(second))
revision = store.revision
store.close()

again = DurableStore(place)
assert again.revision >= revision
assert [item.key for item in again.list("/").items] == sorted(event.key for event in second)
again.close()
print("ok")
"""


def test_it_says_so_and_goes_on_when_there_is_room(tmp_path: Path) -> None:
    mount = f'mount -t tmpfs -o size=24m,nr_inodes=300 tmpfs "{tmp_path}" && exec "$@" "{tmp_path}"'
    command = ["unshare", "--mount", "sh", "-c", mount, "sh", sys.executable, "-c", FULL]
    result = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert (result.stdout, result.stderr) == ("ok\n", "")
