"""Good archives with bytes changed: unpacked, or refused with an error of ours; never anything else, never outside.

JUBAKO_FUZZ_S=600 runs the same for ten minutes.
"""

from __future__ import annotations

import gzip
import io
import os
import random
import stat
import tarfile
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard
from tests.property.mutation import rounds

from jubako.errors import JubakoError
from jubako.image.layer import Limits, unpack
from jubako.image.layer.tar.entry import BLOCK_BYTES
from jubako.store.removal import remove_tree

pytestmark = [pytest.mark.root, pytest.mark.skipif(os.geteuid() != 0, reason="needs root")]
LIMITS = Limits(output_bytes=4 << 20, entries=400, ratio_from_bytes=1 << 20)


def seed_archive(format: int) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=format) as archive:
        for name, kind, link in (
            ("etc", tarfile.DIRTYPE, ""),
            ("etc/name", tarfile.REGTYPE, ""),
            ("etc/hard", tarfile.LNKTYPE, "etc/name"),
            ("link", tarfile.SYMTYPE, "../../outside"),
            ("link/through", tarfile.REGTYPE, ""),
            ("d" * 90 + "/" + "f" * 90, tarfile.REGTYPE, ""),
            ("etc/.wh.gone", tarfile.REGTYPE, ""),
            ("etc/.wh..wh..opq", tarfile.REGTYPE, ""),
            ("null", tarfile.CHRTYPE, ""),
        ):
            member = tarfile.TarInfo(name)
            member.type, member.linkname, member.mtime = kind, link, 1.5
            member.size = 700 if kind == tarfile.REGTYPE else 0
            if format == tarfile.PAX_FORMAT and kind == tarfile.REGTYPE:
                member.pax_headers = {"SCHILY.xattr.user.x": "y", "GNU.sparse.map": "0,700", "GNU.sparse.size": "9000"}
            archive.addfile(member, io.BytesIO(b"d" * member.size) if member.size else None)
    return out.getvalue()


SEEDS = [seed_archive(format) for format in (tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT)]
WORDS = [
    b"..",
    b"/",
    b"\0",
    b"\xff",
    b"\x80",
    b"777777777777",
    b"GNU.sparse.major=1",
    b".wh.",
    b"../outside",
    b"9" * 20,
]


def mutated(chance: random.Random) -> bytes:
    data = bytearray(chance.choice(SEEDS))
    for _ in range(chance.randint(1, 6)):
        place = chance.randrange(len(data))
        match chance.randrange(5):
            case 0:
                data[place] = chance.randrange(256)
            case 1:
                word = chance.choice(WORDS)
                data[place : place + len(word)] = word
            case 2:
                block = place // BLOCK_BYTES * BLOCK_BYTES
                data[block + 156 : block + 157] = bytes([chance.choice(b"01234567xgLKSVMD\0")])
            case 3:
                block, other = (chance.randrange(len(data)) // BLOCK_BYTES * BLOCK_BYTES for _ in range(2))
                data[block:block] = data[other : other + BLOCK_BYTES]
            case _:
                del data[place : place + chance.choice((1, BLOCK_BYTES, 3000))]
    _mend_checksums(data)
    return bytes(data)


def _mend_checksums(data: bytearray) -> None:
    """Of every block that looks like a header: a wrong checksum would end most of the tests at once."""
    for block in range(0, len(data) - BLOCK_BYTES, BLOCK_BYTES):
        if data[block + 257 : block + 262] == b"ustar":
            data[block + 148 : block + 156] = b" " * 8
            data[block + 148 : block + 156] = b"%06o\0 " % sum(data[block : block + BLOCK_BYTES])


COMPRESS: list[Callable[[bytes], bytes]] = [bytes, bytes, lambda data: gzip.compress(data, 1), zstandard.compress]


def test_mutated_layers_are_unpacked_or_refused_and_stay_inside(
    tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    (tmp_path / "outside").write_bytes(b"untouched")
    count = 0
    for seed, chance in rounds(4):
        count += 1
        layer = chance.choice(COMPRESS)(mutated(chance))
        if chance.random() < 0.2:
            place = chance.randrange(len(layer))
            layer = layer[:place] + bytes([chance.randrange(256)]) + layer[place + 1 :]
        root = tempfile.mkdtemp(dir=tmp_path)
        fd = os.open(root, os.O_RDONLY | os.O_DIRECTORY)
        try:
            unpack(io.BytesIO(layer), fd, limits=LIMITS, whiteouts=chance.choice(["overlay", "apply"]))  # type: ignore[arg-type]
        except JubakoError:
            pass
        except BaseException as error:
            raise AssertionError(f"seed {seed}: {error!r}") from error
        finally:
            os.close(fd)
            remove_tree(root)
        assert os.listdir(tmp_path) == ["outside"], f"seed {seed}"
        status = (tmp_path / "outside").lstat()
        assert (status.st_size, status.st_nlink, stat.S_IMODE(status.st_mode)) == (9, 1, 0o644), f"seed {seed}"
    record_property("layers", count)
