"""What the cases of the corpus are built in: a context with files of every kind, a web server, a secret."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import shutil
import subprocess
import tarfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from .test_build_parity import fill

OLD = 1_500_000_000
"""Times up to this one are the context's own and are kept; later ones are those of the build."""
_FILES = {
    ".hidden": "h",
    ".config/deep/.x": "x",
    "hard/a": "hard",
    "uni/ünï.txt": "u",
    "glob/[x].txt": "brackets",
    "glob/x.txt": "x",
    "glob/a*b": "star",
    "glob/ab": "ab",
    "glob/q?": "question",
    "tree/one.c": "1",
    "tree/.dot": "dot",
    "tree/sub/two.c": "2",
    "tree/sub/three.h": "3",
    "tree/sub/deep/four.c": "4",
    "modes/read-only": "r",
    "modes/everybody": "w",
    "modes/set-group": "s",
    "modes/sticky/f": "t",
    "modes/shared/f": "g",
}
_MODES = {
    "modes/read-only": 0o400,
    "modes/everybody": 0o777,
    "modes/set-group": 0o2755,
    "modes/sticky": 0o1777,
    "modes/shared": 0o2775,
    "tree/sub": 0o711,
}
_LINKS = {
    "links/abs": "/etc/passwd",
    "links/loop": "loop",
    "links/dir": "../d",
    "links/up": "../a.txt",
    "links/dangling": "nowhere",
}


def make_context(context: Path) -> None:
    """The context of test_build_parity and more, everything of one time."""
    context.mkdir()
    fill(context)
    for name, text in _FILES.items():
        (context / name).parent.mkdir(parents=True, exist_ok=True)
        (context / name).write_text(text)
    os.link(context / "hard/a", context / "hard/b")
    (context / "links").mkdir()
    for name, target in _LINKS.items():
        (context / name).symlink_to(target)
    for name, mode in _MODES.items():
        (context / name).chmod(mode)
    _make_archives(context / "arch")
    for directory, names, files in os.walk(context):
        for name in [*names, *files]:
            os.utime(Path(directory) / name, (OLD, OLD), follow_symlinks=False)


def _make_archives(directory: Path) -> None:
    directory.mkdir()
    plain = _archive(("t/top", 0o640), ("t/dir/in", 0o600))
    (directory / "plain.tar").write_bytes(plain)
    (directory / "noext").write_bytes(gzip.compress(_archive(("n/file", 0o604)), mtime=0))
    (directory / "b.tbz").write_bytes(bz2.compress(_archive(("bz/file", 0o644))))
    (directory / "x.txz").write_bytes(lzma.compress(_archive(("xz/file", 0o644))))
    compressed = subprocess.run(["zstd", "-q", "-c"], input=plain, capture_output=True, check=True)
    (directory / "z.tzst").write_bytes(compressed.stdout)
    (directory / "odd.tar").write_bytes(_odd_archive())
    (directory / "xattrs.tar").write_bytes(_attributes_archive())
    (directory / "not.tar").write_text("no archive")
    (directory / "text.gz").write_bytes(gzip.compress(b"no archive either", mtime=0))
    (directory / "empty.tar").write_bytes(b"")


def _archive(*files: tuple[str, int]) -> bytes:
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w") as archive:
        for name, mode in files:
            _add(archive, name, b"in " + name.encode(), mode=mode, uid=77, gid=78)
    return data.getvalue()


def _add(archive: tarfile.TarFile, name: str, content: bytes = b"", **fields: object) -> None:
    member = tarfile.TarInfo(name)
    member.size, member.mtime = len(content), OLD - 1
    for field, value in fields.items():
        setattr(member, field, value)
    archive.addfile(member, io.BytesIO(content))


def _odd_archive() -> bytes:
    """Links, a pipe, bits, a name given twice, and a directory whose entry comes after what is in it."""
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w") as archive:
        _add(archive, "late/file", b"1", mode=0o644)
        _add(archive, "late", type=tarfile.DIRTYPE, mode=0o750, uid=5, gid=6)
        _add(archive, "./dot/file", b"2", mode=0o4755)
        _add(archive, "hard", type=tarfile.LNKTYPE, linkname="late/file")
        _add(archive, "soft", type=tarfile.SYMTYPE, linkname="late/file", mode=0o777)
        _add(archive, "away", type=tarfile.SYMTYPE, linkname="/etc/passwd", mode=0o777)
        _add(archive, "pipe", type=tarfile.FIFOTYPE, mode=0o622)
        _add(archive, "twice", b"first", mode=0o600)
        _add(archive, "twice", b"second", mode=0o644)
        _add(archive, "x" * 120, b"long", mode=0o644)
    return data.getvalue()


def _attributes_archive() -> bytes:
    data = io.BytesIO()
    capability = b"\x01\x00\x00\x02\x00\x04\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"
    headers = {
        "SCHILY.xattr.security.capability": capability.decode("latin-1"),
        "SCHILY.xattr.user.note": "noted",
    }
    with tarfile.open(fileobj=data, mode="w", format=tarfile.PAX_FORMAT) as archive:
        _add(archive, "ping", b"p", mode=0o755, pax_headers=headers)
    return data.getvalue()


@contextmanager
def web_server(directory: Path, context: Path) -> Iterator[str]:
    """The URL of a server on loopback with a file, and an archive of the context; they say when they were modified."""
    directory.mkdir()
    (directory / "file.txt").write_text("fetched\n")
    shutil.copyfile(context / "arch.tgz", directory / "arch.tgz")
    for path in directory.iterdir():
        os.utime(path, (OLD, OLD))
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(directory)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *arguments: object) -> None:
        pass
