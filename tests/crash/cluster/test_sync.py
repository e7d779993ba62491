"""What is acknowledged is on the disk: seen in the system calls, since kill -9 leaves the kernel's cache alone."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

PROGRAM = """
import os, sys
from pathlib import Path
from jubako.cluster.store import Create, DurableStore

store = DurableStore(Path(sys.argv[1]))
null = os.open("/dev/null", os.O_WRONLY)
os.write(null, b"begin")
for number in range(10):
    store.submit([Create(f"/one/{number}", b"")]).result()
    os.write(null, b"acknowledged")
futures = [store.submit([Create(f"/many/{number}", b"")]) for number in range(500)]
for future in futures:
    future.result()
os.write(null, b"all")
"""


def test_every_acknowledged_write_was_synced_and_writes_at_once_share_a_sync(tmp_path: Path) -> None:
    log = tmp_path / "calls"
    subprocess.run(
        ["strace", "-f", "-y", "-e", "trace=fsync,fdatasync,write", "-o", log, sys.executable, "-c", PROGRAM, tmp_path],
        check=True,
        timeout=60,
    )
    calls = [line for line in log.read_text().splitlines() if "store.db-wal>" in line or "/dev/null>" in line]
    _, *one_by_one, many = _syncs_before_each(calls)
    assert len(one_by_one) == 10
    assert all(one_by_one)
    assert 0 < many < 100


def _syncs_before_each(calls: list[str]) -> list[int]:
    """How many syncs there were between one acknowledgement and the next."""
    counts, syncs = [], 0
    for line in calls:
        if "sync(" in line:
            syncs += 1
        elif "/dev/null>" in line:
            counts.append(syncs)
            syncs = 0
    return counts
