"""Sparse files in the four forms that GNU tar writes, made by the real program, and hostile maps."""

from __future__ import annotations

import shutil
import subprocess
import tarfile
from pathlib import Path

import pytest

from jubako.errors import DataLoss
from jubako.image.layer.tar import Entry, Reader

GNU_TAR = shutil.which("tar")
FORMS = [
    ["--format=gnu"],
    ["--format=posix", "--sparse-version=0.0"],
    ["--format=posix", "--sparse-version=0.1"],
    ["--format=posix", "--sparse-version=1.0"],
]


def expanded(entry: Entry, data: bytes) -> bytes:
    out = bytearray(entry.real_size)
    for offset, length in entry.regions or [(0, len(data))]:
        out[offset : offset + length], data = data[:length], data[length:]
    return bytes(out)


@pytest.mark.skipif(GNU_TAR is None, reason="needs GNU tar")
@pytest.mark.parametrize("form", FORMS, ids=["gnu", "0.0", "0.1", "1.0"])
@pytest.mark.parametrize("holes", [1, 3, 60])
def test_sparse_files_of_gnu_tar_are_read(tmp_path: Path, form: list[str], holes: int) -> None:
    path = tmp_path / "sparse"
    with path.open("wb") as stream:
        for number in range(holes):
            stream.seek((number + 1) << 16)
            stream.write(b"%d" % number * 700)
        stream.truncate((holes + 2) << 16)
    data = subprocess.run(
        [str(GNU_TAR), "-S", *form, "-cf", "-", "-C", tmp_path, "sparse"], check=True, capture_output=True
    ).stdout
    assert len(data) < path.stat().st_size
    for size in (512, 700, 1 << 20):
        reader = Reader(data[start : start + size] for start in range(0, len(data), size))
        entry = reader.next()
        assert entry is not None
        assert (entry.name, entry.kind) == (b"sparse", tarfile.REGTYPE)
        assert expanded(entry, reader.read(1 << 30)) == path.read_bytes()
        assert reader.next() is None


def pax_sparse(records: dict[str, str], size: int = 4) -> bytes:
    member = tarfile.TarInfo("f")
    member.size = size
    member.pax_headers = records
    return member.tobuf(tarfile.PAX_FORMAT) + b"d" * size + bytes(-size % 512 + 1024)


@pytest.mark.parametrize(
    "records",
    [
        {"GNU.sparse.map": "0,4,2,0", "GNU.sparse.size": "100"},
        {"GNU.sparse.map": "0,3", "GNU.sparse.size": "100"},
        {"GNU.sparse.map": "98,4", "GNU.sparse.size": "100"},
        {"GNU.sparse.map": "0,4,5", "GNU.sparse.size": "100"},
        {"GNU.sparse.map": "0,x", "GNU.sparse.size": "100"},
        {"GNU.sparse.map": "-1,4", "GNU.sparse.size": "100"},
        {"GNU.sparse.map": "0,4", "GNU.sparse.size": "99999999999999999999"},
    ],
    ids=["overlap", "too little", "beyond the end", "odd", "no number", "negative", "huge"],
)
def test_hostile_maps_are_corruption(records: dict[str, str]) -> None:
    with pytest.raises(DataLoss):
        list(Reader([pax_sparse(records)]))


@pytest.mark.parametrize("text", [b"", b"1\n0\n", b"999999999\n" + b"1\n" * 250, b"9" * 600, b"x\n"])
def test_a_map_in_the_data_that_does_not_end_is_corruption(text: bytes) -> None:
    records = {"GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.realsize": "10", "GNU.sparse.name": "f"}
    member = tarfile.TarInfo("f")
    member.size = 512
    member.pax_headers = records
    with pytest.raises(DataLoss):
        list(Reader([member.tobuf(tarfile.PAX_FORMAT) + text.ljust(512, b"\0")[:512] + bytes(1024)]))
