"""The parsers of what others send, each with good input to start from and words that matter to it."""

from __future__ import annotations

import base64
import gzip
import io
import json
import re
import tarfile
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import zstandard
from tests.unit.image.conftest import docker_archive

from jubako.build import gcpolicy
from jubako.build.graph.filesystem import Output
from jubako.build.remotecache import config as cache
from jubako.build.remotecache.spec import caches_from, caches_to
from jubako.errors import JubakoError
from jubako.image import archive, platform, reference
from jubako.image import manifest as documents
from jubako.image.catalog import Images
from jubako.image.layer import Limits
from jubako.image.layer.codec import decompressed
from jubako.image.layer.tar import Reader
from jubako.registry.client import challenge, configuration, titles
from jubako.registry.client.failure import refused
from jubako.registry.server import routes
from jubako.registry.server.endpoints.token import read_scopes
from jubako.registry.server.pushed import blobs_of, children_of, decode, entry_of, referrer_of
from jubako.registry.server.refusal import Refused
from jubako.spec.distribution import is_repository
from jubako.spec.oci_image import (
    CONFIG,
    DOCKER_INDEX,
    DOCKER_MANIFEST,
    INDEX,
    LAYER_GZIP,
    MANIFEST,
    Descriptor,
    DiffID,
    Digest,
)
from jubako.store import Store

REFUSALS = (JubakoError, Refused)
LIMITS = Limits(output_bytes=4 << 20, entries=400, ratio_from_bytes=1 << 20)


class Parser(NamedTuple):
    """`read` raises one of REFUSALS for what it does not want, and nothing else; what it returns it has checked."""

    seeds: list[bytes]
    words: list[bytes]
    read: Callable[[bytes], object]


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")


def _json(document: object) -> bytes:
    return json.dumps(document).encode()


def _tar(format: int) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=format) as opened:
        for name, size, more in (
            ("a", 600, {"SCHILY.xattr.user.x": "y", "mtime": "-1.5"}),
            ("d" * 120 + "/e", 3, {"GNU.sparse.map": "0,3", "GNU.sparse.size": "9"}),
            ("s", 1024, {"GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.realsize": "512"}),
        ):
            member = tarfile.TarInfo(name)
            member.size, member.uid = size, 3_000_000 if format != tarfile.USTAR_FORMAT else 7
            member.pax_headers = more if format == tarfile.PAX_FORMAT else {}
            sparse = b"1\n0\n512\n".ljust(512, b"\0") + b"x" * 512
            opened.addfile(member, io.BytesIO(sparse if name == "s" else b"x" * size))
    return out.getvalue()


def _read_tar(data: bytes) -> None:
    mended = bytearray(data)
    for start in range(0, len(mended) - 511, 512):
        if mended[start + 257 : start + 262] == b"ustar":
            # A wrong checksum would end most archives at once.
            mended[start + 148 : start + 156] = b" " * 8
            mended[start + 148 : start + 156] = b"%06o\0 " % sum(mended[start : start + 512])
    reader = Reader([bytes(mended[start : start + 1000]) for start in range(0, len(mended), 1000)], entries_limit=100)
    for entry in reader:
        read = sum(len(piece) for piece in reader.data())
        assert read == entry.size >= 0
        if entry.regions is not None:
            ends = [offset + length for offset, length in entry.regions]
            assert max(ends, default=0) <= entry.real_size
            assert sum(length for _, length in entry.regions) == entry.size


def _read_compressed(data: bytes) -> None:
    total = sum(len(chunk) for chunk in decompressed(io.BytesIO(data), limits=LIMITS))
    assert total <= LIMITS.output_bytes


def _read_archive(data: bytes) -> None:
    with tempfile.TemporaryDirectory() as directory, Store.open(directory) as store:
        images = Images(store)
        for image in archive.load(store, io.BytesIO(data), images):
            assert all(store.blobs.exists(layer.digest) for layer in image.manifest.layers)


def _read_document(data: bytes) -> None:
    for media_type in (MANIFEST, INDEX, DOCKER_MANIFEST, DOCKER_INDEX, ""):
        try:
            document = decode(data, media_type)
        except REFUSALS:
            continue
        target = Descriptor(media_type=media_type, digest=Digest("sha256:" + "0" * 64), size=len(data))
        entry_of(document, target, 0.0)
        referrer_of(document, target)
        assert all(reference.is_digest(name) for name in (*blobs_of(document), *children_of(document)))


def _read_configuration(data: bytes) -> None:
    assert all(reference.is_digest(diff_id) for diff_id in documents.decode_config(data).rootfs.diff_ids)


def _read_reference(data: bytes) -> None:
    parsed = reference.parse(_text(data))
    assert reference.parse(str(parsed)) == reference.parse(parsed.familiar()) == parsed
    assert ".." not in parsed.path.split("/")
    assert str(parsed).isascii()


def _read_path(data: bytes) -> None:
    route = routes.parse(_text(data))
    assert not route.name or is_repository(route.name)
    assert "/" not in route.reference


def _read_scopes(data: bytes) -> None:
    for grant in read_scopes(_text(data).splitlines()):
        assert is_repository(grant.name)


def _read_registries(data: bytes) -> None:
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "registries.conf"
        path.write_bytes(data)
        configuration.load(path)


def _read_refusal(data: bytes) -> None:
    message = refused(404, data, subject="a", registry="b").message
    assert message.isprintable()


def _read_title(data: bytes) -> None:
    assert not {"", ".", ".."} & set(titles.parts(_text(data)))


def _read_cache(data: bytes) -> None:
    blobs = [Descriptor(media_type=LAYER_GZIP, digest=Digest(DIGEST), size=3, annotations={cache.DIFF_ID: DIGEST})]
    _check_outputs(cache.decode(data, blobs))


def _read_inline_cache(data: bytes) -> None:
    _check_outputs(cache.decode_inline(base64.b64encode(data).decode(), [Descriptor(**_BLOB)], [DiffID(DIGEST)]))


def _check_outputs(outputs: dict[str, Output]) -> None:
    for key, output in outputs.items():
        assert re.fullmatch(r"[0-9a-f]{64}", key)
        assert re.fullmatch(r"[0-9TZ:.+-]+", output.created, re.ASCII)
        if output.layer:
            assert reference.is_digest(output.layer.diff_id)
            assert reference.is_digest(output.layer.blob.digest)


def _read_cache_options(data: bytes) -> None:
    caches_from([_text(data)])
    caches_to([_text(data)])


def _read_builder(data: bytes) -> None:
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "builder.toml"
        path.write_bytes(data)
        for policy in gcpolicy.policies(gcpolicy.load(path), gcpolicy.Disk(10**12, 10**9)):
            assert min(policy.reserved_bytes, policy.max_used_bytes, policy.min_free_bytes) >= 0


DIGEST = "sha256:" + "ab" * 32
_BLOB = {"media_type": LAYER_GZIP, "digest": DIGEST, "size": 3}
RECORDS = [
    {"digest": DIGEST, "layers": [{"layer": 0, "createdAt": "2024-05-06T07:08:09.1Z"}], "inputs": [[{"link": 0}]]},
    {"digest": "sha256:" + "0b" * 32, "createdAt": "2024-05-06T07:08:09+01:00", "diffID": DIGEST},
]
CACHE_WORDS = [b'"layers"', b'"records"', b'"digest"', b'"createdAt"', b'"diffID"', b'"parent"', b'"blob"', b'"link"']
BUILDER = b"""gc = true
reservedSpace = "10%"
maxUsedSpace = 3
[[gcpolicy]]
keepDuration = "48h"
filters = ["type==exec.cachemount,unused-for=1h", "shared"]
minFreeSpace = "1.5GB"
"""
LAYER = {"mediaType": LAYER_GZIP, "digest": DIGEST, "size": 3}
IMAGE = {"schemaVersion": 2, "mediaType": MANIFEST, "config": LAYER | {"mediaType": CONFIG}, "layers": [LAYER]}
DOCUMENTS = [
    _json(IMAGE | {"subject": LAYER | {"mediaType": MANIFEST}, "annotations": {"a": "b"}, "artifactType": "x/y"}),
    _json({"schemaVersion": 2, "mediaType": INDEX, "manifests": [LAYER | {"platform": {"os": "linux"}}]}),
    _json(IMAGE | {"mediaType": DOCKER_MANIFEST, "layers": [LAYER | {"urls": ["https://a/b"], "data": "e30="}]}),
]
FIELDS = [f'"{name}"'.encode() for name in ("config", "layers", "manifests", "mediaType", "digest", "size", "subject")]
VALUES = [
    b"null",
    b"[]",
    b"{}",
    b"-1",
    b"1e400",
    b'""',
    b"9" * 30,
    b'"sha256:../../x"',
    b"[" * 2000,
    b"\xff",
    b"\\ud800",
]
TARS = [_tar(format) for format in (tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT)]
TAR_WORDS = [
    b"..",
    b"/",
    b"\0",
    b"\xff",
    b"\x80",
    b"7" * 12,
    b"-1",
    b"GNU.sparse.major=1",
    b".wh.",
    b"9" * 20,
    b" " * 8,
]
NAMES = [
    b"busybox",
    b"localhost:5000/a/b_c:v1@" + DIGEST.encode(),
    b"[::1]:80/x:y",
    b"docker.io/library/a.b-c__d:Latest",
]
NAME_WORDS = [b":", b"/", b"@", b"..", b"%2e", b"\n", b"\0", b"sha256:", b"A", b"_", b"-", b"x" * 130, "é".encode()]
REGISTRIES = b"""[[registry]]
prefix = "*.example.com/a"
location = "mirror.example.com:5000/b"
insecure = true
[[registry.mirror]]
location = "one.example.com"
pull-from-mirror = "digest-only"
"""

PARSERS = {
    "an archive": Parser(TARS, TAR_WORDS, _read_tar),
    "compressed bytes": Parser(
        [gzip.compress(b"x" * 5000), zstandard.compress(b"x" * 5000), gzip.compress(b"a") * 3],
        [b"\x1f\x8b\x08", b"\0"],
        _read_compressed,
    ),
    "a saved image": Parser([docker_archive(TARS[0], tags=["a:b"])], [*TAR_WORDS, *FIELDS, *VALUES], _read_archive),
    "a manifest": Parser(DOCUMENTS, [*FIELDS, *VALUES], _read_document),
    "a configuration": Parser(
        [
            _json(
                {
                    "architecture": "a",
                    "os": "l",
                    "rootfs": {"type": "layers", "diff_ids": [DIGEST]},
                    "config": {"Env": []},
                }
            )
        ],
        [b'"rootfs"', b'"history"', *VALUES],
        _read_configuration,
    ),
    "a reference": Parser(NAMES, NAME_WORDS, _read_reference),
    "a platform": Parser([b"linux/arm64/v8", b"amd64"], NAME_WORDS, lambda data: platform.parse(_text(data))),
    "a path of the API": Parser(
        [
            f"/v2/a/b/blobs/{DIGEST}".encode(),
            b"/v2/a/manifests/v1",
            b"/v2/a/blobs/uploads/" + b"0" * 32,
            b"/v2/a/tags/list",
        ],
        [b"/v2/", b"/manifests/", b"/blobs/uploads/", *NAME_WORDS],
        _read_path,
    ),
    "scopes": Parser([b"repository:a/b:pull,push\nrepository:c:*"], [b":", b",", *NAME_WORDS], _read_scopes),
    "a challenge": Parser(
        [b'Bearer realm="https://a/b",service="c",scope="d e"', b'Basic realm="x", Bearer realm=y'],
        [b'"', b"\\", b",", b"=", b" "],
        lambda data: challenge.parse(_text(data)),
    ),
    "registries.conf": Parser([REGISTRIES], [b"[[", b'"', b"=", b"\0", b"prefix", b"*", *NAMES], _read_registries),
    "a refusal": Parser(
        [_json({"errors": [{"code": "DENIED", "message": "no", "detail": {"a": 1}}]})],
        [b"\\u001b[2J", *VALUES],
        _read_refusal,
    ),
    "a build cache": Parser(
        [_json({"layers": [{"blob": DIGEST, "parent": -1}], "records": RECORDS})],
        [*CACHE_WORDS, *VALUES],
        _read_cache,
    ),
    "an inline build cache": Parser([_json(RECORDS)], [*CACHE_WORDS, *VALUES], _read_inline_cache),
    "options of caches": Parser(
        [b"a/b:c,d", b"type=registry,ref=a/b:c", b'type=gha,"mode=max"'],
        [b"type=local", b"src=", b"dest=", b"ref=", b",", b"=", b'"', b"mode=max", b"compression-level=9", *NAME_WORDS],
        _read_cache_options,
    ),
    "builder.toml": Parser([BUILDER], [b"[[", b'"', b"%", b"=", b"\0", b"48h", b"-1", b"1e9", *NAMES], _read_builder),
    "a title": Parser([b"dir/file.txt"], NAME_WORDS, _read_title),
}
