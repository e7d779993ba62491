"""Small archives that want to become large: in bytes, in entries, in time. What they cost is measured."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard

from jubako.errors import ResourceExhausted
from jubako.image.layer.tar import Entry, Reader
from jubako.image.layer.tar.writer import header

from .conftest import Target, info, tar_of

pytestmark = pytest.mark.root
TEN_GB = 10 << 30
PIECE = 64 << 20

UNPACK = r"""
import json, os, re, sys
from jubako.errors import JubakoError
from jubako.image.layer import unpack
fd = os.open(sys.argv[1], os.O_RDONLY)
try:
    outcome = str(unpack(sys.stdin.buffer, fd, whiteouts=sys.argv[2]).entries)
except JubakoError as error:
    outcome = type(error).__name__
# Not ru_maxrss, which begins with that of the process that started this one.
print(json.dumps([outcome, int(re.search(r"VmHWM:\s+(\d+)", open("/proc/self/status").read())[1])]))
"""


def unpacked_apart(
    target: Path, layer: bytes, whiteouts: str = "overlay", *, timeout_s: float = 120
) -> tuple[str, int]:
    """What became of the layer in a process of its own, and the KiB of memory which that took at most."""
    command = [sys.executable, "-c", UNPACK, str(target), whiteouts]
    done = subprocess.run(command, input=layer, capture_output=True, timeout=timeout_s)
    assert done.returncode == 0, done.stderr.decode()
    outcome, memory_kib = json.loads(done.stdout)
    return outcome, memory_kib


def zeros(compress: Callable[[bytes], bytes]) -> bytes:
    """A layer with one file of 10 GB, in a few megabytes: members, or frames, one behind the other."""
    return (
        compress(header(Entry(b"zeros", size=TEN_GB)))
        + compress(bytes(PIECE)) * (TEN_GB // PIECE)
        + compress(bytes(1024))
    )


@pytest.mark.parametrize("compress", [gzip.compress, zstandard.compress], ids=["gzip", "zstd"])
def test_ten_gigabytes_of_zeros_cost_one_on_disk_and_little_memory(target: Target, compress) -> None:
    outcome, memory_kib = unpacked_apart(target.path, zeros(compress))
    assert outcome == "ResourceExhausted"
    assert memory_kib < 200 << 10
    assert target.stat("zeros").st_blocks * 512 <= 1100 << 20


def test_extended_headers_in_front_of_one_entry_are_capped_together() -> None:
    record = b"60015 comment=" + b"x" * 60000 + b"\n"
    extended = header(Entry(b"x", b"x", size=len(record))) + record.ljust(-(-len(record) // 512) * 512, b"\0")
    with pytest.raises(ResourceExhausted):
        list(Reader([extended * 20 + header(Entry(b"file"))]))
    assert [entry.name for entry in Reader([(extended * 10 + header(Entry(b"file"))) * 3])] == [b"file"] * 3


def test_the_same_whiteouts_again_and_again_list_a_directory_once(target: Target) -> None:
    files = [(f"d/{number}", b"") for number in range(10_000)]
    layer = tar_of(("d/", b""), *files, *[("d/.wh..wh..opq", b"")] * 5_000, *[(".wh.d", b"")] * 5_000)
    outcome, _ = unpacked_apart(target.path, layer, "apply", timeout_s=60)
    assert outcome == "20001"
    assert len(list((target.path / "d").iterdir())) == 10_000


def test_directories_that_were_replaced_get_nothing_and_those_that_stayed_get_everything(target: Target) -> None:
    target.unpack(
        info("a", tarfile.DIRTYPE, mtime=1),
        info("a/b", tarfile.DIRTYPE, mtime=2),
        info("a-b", tarfile.DIRTYPE, mtime=3),
        info("a/b", mtime=4),
        info("a/b", tarfile.DIRTYPE, mtime=5, mode=0o700),
        info("a/b/c", tarfile.DIRTYPE, mtime=6),
        info("z", tarfile.DIRTYPE, mtime=7),
        info("z/y", tarfile.DIRTYPE, mtime=8),
        info("z", mtime=9),
        info("z", tarfile.DIRTYPE, mtime=10),
        ("z/y/", b""),
    )
    times = {name: int(target.stat(name).st_mtime) for name in ("a", "a/b", "a-b", "a/b/c", "z", "z/y")}
    assert times == {"a": 1, "a/b": 5, "a-b": 3, "a/b/c": 6, "z": 10, "z/y": 0}
