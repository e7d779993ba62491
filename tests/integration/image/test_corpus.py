"""What GNU tar, bsdtar, Python's tarfile and we archive, unpacked by us, by GNU tar and by umoci: no difference."""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import subprocess
import tarfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from jubako.image.layer import pack
from jubako.image.layer.tar import Reader

from .conftest import Target
from .corpus import add_fine_times, add_xattrs, describe, differences, make_portable, make_rich

pytestmark = [
    pytest.mark.root,
    pytest.mark.clients,
    pytest.mark.skipif(not all(map(shutil.which, ("tar", "bsdtar", "umoci"))), reason="needs the peers"),
]
Make = Callable[[Path], bytes]
XATTRS = ("--xattrs", "--xattrs-include=*")
NO_NODES = tuple(f"--exclude={name}" for name in ("null", "disk", "fifo"))


def run(*argv: str | Path, input: bytes | None = None) -> bytes:
    done = subprocess.run([str(a) for a in argv], input=input, capture_output=True, timeout=120)
    assert done.returncode == 0, f"{argv}: {done.stderr.decode()}"
    return done.stdout


def by_tar(program: str, *options: str) -> Make:
    return lambda tree: run(program, "-C", tree, "--numeric-owner", "-cf", "-", *options, ".")


def by_tarfile(format: int, tree: Path) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=format, errors="surrogateescape") as archive:
        archive.add(tree, arcname=".")
    return out.getvalue()


def by_us(tree: Path) -> bytes:
    out, fd = io.BytesIO(), os.open(tree, os.O_RDONLY)
    pack(fd, out, whiteouts="none")
    os.close(fd)
    return out.getvalue()


def fine(root: Path) -> Path:
    return add_xattrs(add_fine_times(make_rich(root)))


gnu, bsd = partial(by_tar, "tar"), partial(by_tar, "bsdtar")
CORPUS: dict[str, tuple[Callable[[Path], Path], Make]] = {
    "gnu-v7": (make_portable, gnu("--format=v7", *NO_NODES)),
    "gnu-ustar": (make_portable, gnu("--format=ustar")),
    "gnu-oldgnu-sparse": (make_rich, gnu("--format=oldgnu", "-S")),
    "gnu-gnu-sparse": (make_rich, gnu("--format=gnu", "-S")),
    "gnu-posix": (fine, gnu("--format=posix", *XATTRS)),
    "gnu-posix-sparse-0.0": (fine, gnu("--format=posix", "-S", "--sparse-version=0.0", *XATTRS)),
    "gnu-posix-sparse-0.1": (fine, gnu("--format=posix", "-S", "--sparse-version=0.1", *XATTRS)),
    "gnu-posix-sparse-1.0": (fine, gnu("--format=posix", "-S", "--sparse-version=1.0", *XATTRS)),
    "gnu-posix-global": (make_rich, gnu("--format=posix", "--pax-option=globexthdr.name=g,comment=hello")),
    "bsd-v7": (make_portable, bsd("--format=v7", *NO_NODES)),
    "bsd-ustar": (make_portable, bsd("--format=ustar")),
    "bsd-gnutar": (make_rich, bsd("--format=gnutar")),
    "bsd-pax": (fine, bsd("--format=pax", "--xattrs")),
    "tarfile-ustar": (make_portable, partial(by_tarfile, tarfile.USTAR_FORMAT)),
    "tarfile-gnu": (make_rich, partial(by_tarfile, tarfile.GNU_FORMAT)),
    "tarfile-pax": (make_rich, partial(by_tarfile, tarfile.PAX_FORMAT)),
    "ours": (fine, by_us),
}
UNKNOWN_TO_GO = ("oldgnu", "gnu-gnu", "global")
"""umoci of this age refuses GNU's sparse type and global headers; there GNU tar alone is the judge."""


@pytest.mark.parametrize("name", CORPUS)
def test_we_unpack_what_others_archive_as_they_do(
    name: str, target: Target, tmp_path_factory: pytest.TempPathFactory
) -> None:
    base = tmp_path_factory.mktemp("corpus")
    make_tree, archive = CORPUS[name]
    layer = archive(make_tree(base / "source"))
    target.unpack(layer, whiteouts="apply")
    ours = describe(target.path)
    assert len(ours) >= 14
    (base / "gnu").mkdir()
    # GNU tar restores a directory's time too early in archives that come back to it later.
    options = ["--numeric-owner", "--same-owner", "--delay-directory-restore", *XATTRS]
    run("tar", "-C", base / "gnu", *options, "-xpf", "-", input=layer)
    assert differences(ours, describe(base / "gnu")) == []
    if not any(part in name for part in UNKNOWN_TO_GO):
        make_layout(base / "layout", layer)
        run("umoci", "unpack", "--image", f"{base}/layout:v1", base / "bundle")
        assert differences(ours, describe(base / "bundle" / "rootfs")) == []


def test_what_we_archive_is_what_was_there_but_for_fractions_of_seconds(
    target: Target, tmp_path_factory: pytest.TempPathFactory
) -> None:
    tree = fine(tmp_path_factory.mktemp("source"))
    layer = by_us(tree)
    assert by_us(tree) == layer
    target.unpack(layer, whiteouts="apply")
    whole = {
        name: what._replace(mtime_ns=what.mtime_ns // 1_000_000_000 * 1_000_000_000)
        for name, what in describe(tree).items()
    }
    assert differences(describe(target.path), whole) == []


def test_a_global_header_changes_nothing_as_in_every_engine(tmp_path: Path) -> None:
    tree = make_portable(tmp_path)
    option = "--pax-option=globexthdr.name=g,mtime=1,comment=hello,delete=atime,delete=ctime"
    layer = run("tar", "-C", tree, "--format=posix", option, "-cf", "-", "etc/name")
    assert b" mtime=1\n" in layer
    (entry,) = Reader([layer])
    assert (entry.name, entry.mtime_ns) == (b"etc/name", (tree / "etc/name").stat().st_mtime_ns)


def make_layout(path: Path, layer: bytes) -> None:
    """An OCI layout with one image, `v1`, of one plain layer."""
    (path / "blobs/sha256").mkdir(parents=True)

    def put(media_type: str, data: bytes) -> dict[str, object]:
        digest = hashlib.sha256(data).hexdigest()
        (path / "blobs/sha256" / digest).write_bytes(data)
        return {"mediaType": f"application/vnd.oci.image.{media_type}", "digest": f"sha256:{digest}", "size": len(data)}

    described = put("layer.v1.tar", layer)
    rootfs = {"type": "layers", "diff_ids": [described["digest"]]}
    config = put("config.v1+json", json.dumps({"architecture": "amd64", "os": "linux", "rootfs": rootfs}).encode())
    manifest = {"schemaVersion": 2, "config": config, "layers": [described]}
    entry = put("manifest.v1+json", json.dumps(manifest).encode())
    entry["annotations"] = {"org.opencontainers.image.ref.name": "v1"}
    (path / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [entry]}))
    (path / "oci-layout").write_text('{"imageLayoutVersion":"1.0.0"}')
