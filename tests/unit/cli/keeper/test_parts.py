from __future__ import annotations

import mmap
import os
import subprocess
import sys
from pathlib import Path

import pytest

from jubako.cli.keeper import warm
from jubako.cli.keeper.programs import JUBAKO, JUBAKO_OCI
from jubako.cli.keeper.stale import Snapshot
from jubako.linux import memory


@pytest.mark.parametrize(
    ("arguments", "cold"),
    [
        ([], False),
        (["ps"], False),
        (["login", "host"], True),
        (["registry", "serve"], True),
        (["--debug", "registry", "serve"], True),
        (["--root", "/x", "--run-root", "/y", "login"], True),
        (["--root=/x", "login"], True),
        (["--root", "login", "ps"], False),
        (["run", "registry"], False),
    ],
)
def test_commands_that_live_long_or_own_a_terminal_run_cold(arguments: list[str], cold: bool) -> None:
    assert warm.runs_cold(JUBAKO, arguments) == cold
    assert not warm.runs_cold(JUBAKO_OCI, arguments)


def test_a_module_that_fails_to_import_does_not_stop_the_keeper() -> None:
    warm.import_all(JUBAKO_OCI._replace(packages=["jubako.no_such_package"], modules=["jubako.no_such_module"]))


@pytest.mark.parametrize(
    ("name", "wanted"), [("jubako", "jubako.cli.commands.run"), ("jubako-oci", "jubako.runtime.oci.execution")]
)
def test_all_commands_are_imported_and_nothing_that_only_long_work_needs(name: str, wanted: str) -> None:
    program = f"""
import sys
from jubako.cli.keeper import programs, warm
warm.import_all(programs.PROGRAMS[{name!r}])
print(*sys.modules)
"""
    output = subprocess.check_output([sys.executable, "-c", program], text=True)
    modules = set(output.split())
    assert wanted in modules
    assert not modules & {"asyncio", "aiohttp", "urllib3", "rich", "yaml", "http.client"}


def test_a_snapshot_notices_an_edit_and_an_installation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    packages = tmp_path / "site-packages"
    packages.mkdir()
    monkeypatch.setattr(sys, "path", [*sys.path, str(packages)])
    snapshot = Snapshot()
    assert not snapshot.changed()
    (packages / "something").mkdir()
    assert snapshot.changed()
    assert not Snapshot().changed()


def test_pages_are_shared_after_a_fork_until_written_to() -> None:
    """Run in a process of its own: it forks."""
    program = """
import mmap, os
from jubako.linux import memory
area = mmap.mmap(-1, 8 * mmap.PAGESIZE, flags=mmap.MAP_PRIVATE)
area[:] = b"x" * len(area)
import ctypes
address = ctypes.addressof(ctypes.c_char.from_buffer(area))
hold, release = os.pipe()
pid = os.fork()
if pid == 0:
    os.close(release)
    os.read(hold, 1)
    os._exit(0)
pagemap = os.open("/proc/self/pagemap", os.O_RDONLY)
print(memory.own_pages(pagemap, address, 8))
area[2 * mmap.PAGESIZE] = 1
print(memory.own_pages(pagemap, address, 8))
memory.populate_for_writing(address + 4 * mmap.PAGESIZE, 2)
print(memory.own_pages(pagemap, address, 8))
"""
    output = subprocess.check_output([sys.executable, "-c", program], text=True).splitlines()
    none, one, three = (bytes(8), bytes([0, 0, 1, 0, 0, 0, 0, 0]), bytes([0, 0, 1, 0, 1, 1, 0, 0]))
    assert output == [repr(none), repr(one), repr(three)]


def test_populating_what_is_not_mapped_is_an_error() -> None:
    area = mmap.mmap(-1, 4 * mmap.PAGESIZE)
    area.close()
    with pytest.raises(OSError, match="memory"):
        memory.populate_for_writing(0, 1)


def test_writable_ranges_hold_the_heap_and_not_the_stack() -> None:
    ranges = memory.writable_ranges()
    maps = Path("/proc/self/maps").read_text().splitlines()
    stack = next(int(line.split("-")[0], 16) for line in maps if line.endswith("[stack]"))
    assert ranges
    assert stack not in {address for address, _pages in ranges}
    assert all(address % os.sysconf("SC_PAGESIZE") == 0 for address, _pages in ranges)
