"""Many containers, one after the other and all at once; and one with much to say. JUBAKO_CYCLES=500 makes it long."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from jubako.linux import cgroup
from jubako.runtime import attach, program
from jubako.runtime.executor import LogFile

from .oci import Oci, group_name

pytestmark = pytest.mark.root

CYCLES = int(os.environ.get("JUBAKO_CYCLES", "60"))
PARALLEL = 64


def kilobytes(pid: int, key: str) -> int:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{key}:"))


def end_of(log: Path) -> bytes:
    """The last lines, which may have been rotated just now."""
    parts = []
    for path in (Path(f"{log}.1"), log):
        with contextlib.suppress(FileNotFoundError):
            parts.append(path.read_bytes()[-200:])
    return b"".join(parts)


def children() -> list[str]:
    return Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()


def test_cycles_of_create_start_delete_leave_nothing(oci: Oci) -> None:
    oci.configure("true")
    groups = set(cgroup.manager().names())
    for _ in range(CYCLES):
        oci.create("one")
        assert oci("start", "one").returncode == 0
        assert oci("delete", "--force", "one").returncode == 0
    assert os.listdir(oci.base / "state") == []
    assert group_name("one") not in set(cgroup.manager().names()) - groups


def test_cycles_in_one_process_leave_no_descriptor_child_or_memory(runtime: Any) -> None:
    spec = runtime.spec("true")

    def cycle(number: int) -> None:
        handle = runtime.create(spec, rootfs=[], run_dir=runtime.directory(f"c{number}"))
        handle.start()
        assert handle.wait(60).code == 0
        handle.acknowledge()

    earlier = set(children())  # of tests before this one
    for number in range(20):
        cycle(number)
    fds, used = len(os.listdir("/proc/self/fd")), kilobytes(os.getpid(), "Rss")
    for number in range(20, 20 + CYCLES):
        cycle(number)
    assert len(os.listdir("/proc/self/fd")) <= fds  # what tests before this one left may go meanwhile
    runtime.handles.clear()
    deadline = time.monotonic() + 5
    while set(children()) - earlier and time.monotonic() < deadline:
        program.reap()
    assert set(children()) <= earlier
    assert kilobytes(os.getpid(), "Rss") - used < 1024


def test_many_at_once_work(oci: Oci) -> None:
    oci.configure("sh", "-c", "echo hello; exit 3")
    oci.linux(cgroupsPath="")  # each takes the group of its id
    prefix = f"many-{os.getpid()}"
    commands = [
        subprocess.Popen(
            oci.command("run", "-b", str(oci.bundle), f"{prefix}-{number}"),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
        )
        for number in range(PARALLEL)
    ]
    outputs = [command.communicate(timeout=120)[0] for command in commands]
    assert [command.returncode for command in commands] == [3] * PARALLEL
    assert outputs == [b"hello\n"] * PARALLEL
    assert os.listdir(oci.base / "state") == []
    assert not [name for name in cgroup.manager().names() if name.startswith(prefix)]


def test_no_lock_is_shared_by_two_containers(oci: Oci, tmp_path: Path) -> None:
    tracer = shutil.which("strace")
    if not tracer:
        pytest.skip("needs strace")
    oci.configure("true")
    trace = tmp_path / "trace"
    wrapper = ["env", "JUBAKO_KEEPER=0", tracer, "-f", "-y", "-o", str(trace), "-e", "trace=flock,fcntl,execve"]
    assert oci.under(wrapper, "run", "-b", str(oci.bundle), "one").returncode == 0
    calls = trace.read_text()
    assert "execve" in calls
    locks = re.findall(r"(?:flock|fcntl)\(\d+<(.*?)>, (?:LOCK_\w+|F_(?:OFD_)?SETLKW?)\b", calls)
    mine = str(tmp_path / "state" / "one") + "/"
    assert locks
    assert [path for path in locks if not path.startswith(mine)] == []


@pytest.mark.parametrize(("idle", "limit_kb"), [(0, 1024), (1, 2048)])
def test_cve_2022_31030_a_flood_of_output_is_neither_kept_nor_waited_for(
    runtime: Any, tmp_path: Path, idle: int, limit_kb: int
) -> None:
    """100 MB go through a monitor of less than 1 MB, to a log with a limit and past clients that do not read.

    One of those is dropped when its queue of 1 MB is full.
    """
    run_dir = runtime.directory("run")
    # The end goes the same way as the flood: another stream could be read, and logged, before the rest of this one.
    script = (
        "read go; yes 0123456789abcdef0123456789abcdef0123456789abcdef | head -c 100000000; echo; echo end; sleep 100"
    )
    log = LogFile(str(tmp_path / "container.log"), max_size_bytes=4 << 20, max_files=2)
    handle = runtime.create(runtime.spec("sh", "-c", script), run_dir=run_dir, log=log, stdin=True)
    handle.start()
    unread = [attach.connect(run_dir) for _ in range(idle)]
    with attach.connect(run_dir) as client:
        client.write(b"go\n")
    highest, deadline = 0, time.monotonic() + 120
    while b'"end\\n"' not in end_of(Path(log.path)):
        highest = max(highest, kilobytes(handle._monitor, "Pss"))
        assert time.monotonic() < deadline
        time.sleep(0.02)
    for client in unread:
        client.close()
    assert 0 < highest < limit_kb
    assert sum(path.stat().st_size for path in tmp_path.glob("container.log*")) < 10 << 20
