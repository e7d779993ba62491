"""What a build is told in confidence is found nowhere afterwards."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from jubako.build import CommandFailed
from jubako.errors import DataLoss, InvalidArgument
from jubako.image.layer.codec import decompressed

from .conftest import Site
from .web import serving

pytestmark = [pytest.mark.root, pytest.mark.usefixtures("own_network")]

SECRET = b"tKq7-hunter2-very-secret"

DOCKERFILE = """FROM base
RUN --mount=type=secret,id=token cat /run/secrets/token | wc -c >/length
RUN --mount=type=secret,id=token,target=/root/.netrc,mode=0400 test -s /root/.netrc && ls -l /root >/listing
RUN --mount=type=secret,id=token,env=TOKEN test -n "$TOKEN" && echo known >/known
ADD http://user:{0}@127.0.0.1:{1}/x /x
"""
FAILING = """FROM base
RUN --mount=type=secret,id=token cp /run/secrets/token /leak && false
"""


def contents(*directories: Path) -> Iterator[tuple[Path, bytes]]:
    """Every file beneath, as it is and decompressed, with its name and link target."""
    for directory in directories:
        for base, _, names in os.walk(directory):
            for path in (Path(base, name) for name in names):
                if path.is_symlink() or not path.is_file():
                    yield path, os.fsencode(path) + (os.fsencode(os.readlink(path)) if path.is_symlink() else b"")
                    continue
                yield path, path.read_bytes()
                yield path, plain(path)


def plain(path: Path) -> bytes:
    with path.open("rb") as stream:
        try:
            return b"".join(decompressed(stream))
        except (DataLoss, InvalidArgument):
            return b""


def test_search_finds_what_is_there(site: Site) -> None:
    site.file("leak", SECRET)
    site.build("FROM scratch\nCOPY leak /leak\n")
    found = [path for path, data in contents(site.root) if SECRET in data]
    assert any("blobs" in path.parts for path in found)
    assert any("blobs" not in path.parts for path in found)


def test_secrets_are_in_no_layer_config_history_record_cache_or_log(site: Site, tmp_path: Path) -> None:
    """Nor in statements, archives and metadata; and what a failed command leaves is gone too."""
    out = tmp_path / "out"
    out.mkdir()
    with serving() as web:
        web.files["/x"] = b"fetched"
        dockerfile = DOCKERFILE.format(SECRET.decode(), web.url.rpartition(":")[2])
        outputs = [f"type=oci,dest={out}/oci.tar", f"type=docker,dest={out}/docker.tar", "type=image"]
        wanted = {"outputs": outputs, "provenance": "mode=max", "sbom": "true", "metadata_file": out / "metadata.json"}
        result = site.build(dockerfile, secrets={"token": SECRET}, tags=["t"], **wanted)
        log = site.output
        with pytest.raises(CommandFailed):
            site.build(FAILING, secrets={"token": SECRET})
        log += site.output
        site.build(dockerfile, secrets={"token": b"another"})
        log += site.output
    assert site.read(result, "length").split() == [str(len(SECRET))]
    assert site.read(result, "x") == "fetched"
    assert SECRET.decode() not in log
    site.store.records.close()
    assert [path for path, data in contents(site.root, site.run_root, out) if SECRET in data] == []
    statements = b"".join(data for path, data in contents(site.root) if b"slsa.dev/provenance" in data)
    assert b'"secrets":[{"id":"token","optional":true}]' in statements
