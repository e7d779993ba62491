"""Images made by hand: small trees as tar bytes, archives in each layout, and a store with a catalog."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from jubako.image.catalog import Images
from jubako.store import Store


def tar_of(*members: tarfile.TarInfo | tuple[str, bytes], format: int = tarfile.PAX_FORMAT, pad: bool = True) -> bytes:
    """An archive by the standard library: (name, data) pairs are files, a name that ends in "/" is a directory."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=format) as archive:
        for member in members:
            if isinstance(member, tarfile.TarInfo):
                archive.addfile(member)
                continue
            name, data = member
            info = tarfile.TarInfo(name.rstrip("/"))
            info.type = tarfile.DIRTYPE if name.endswith("/") else tarfile.REGTYPE
            info.mode = 0o755 if name.endswith("/") else 0o644
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return out.getvalue()


def digest(data: bytes) -> str:
    return "sha256:" + hashlib.sha256(data).hexdigest()


def config_for(*layers: bytes, architecture: str = "amd64", created: str = "2024-01-01T00:00:00Z") -> bytes:
    """An image configuration over plain layer tars."""
    document = {
        "created": created,
        "architecture": architecture,
        "os": "linux",
        "config": {"Cmd": ["/bin/true"], "Env": None},
        "rootfs": {"type": "layers", "diff_ids": [digest(layer) for layer in layers]},
    }
    return json.dumps(document).encode()


def docker_archive(*layers: bytes, tags: list[str] | None, compress: bool = False) -> bytes:
    """As `docker save` of 20.10 writes it: a directory for each layer, a link for one that comes twice."""
    config = config_for(*layers)
    members: list[tarfile.TarInfo | tuple[str, bytes]] = []
    paths: dict[bytes, str] = {}
    names = []
    for number, layer in enumerate(layers):
        name = f"{number:064x}"
        members += [(f"{name}/", b""), (f"{name}/VERSION", b"1.0"), (f"{name}/json", b"{}")]
        if layer in paths:
            link = tarfile.TarInfo(f"{name}/layer.tar")
            link.type, link.linkname = tarfile.SYMTYPE, f"../{paths[layer]}/layer.tar"
            members.append(link)
        else:
            members.append((f"{name}/layer.tar", gzip.compress(layer, mtime=0) if compress else layer))
            paths[layer] = name
        names.append(f"{name}/layer.tar")
    config_name = hashlib.sha256(config).hexdigest() + ".json"
    manifest = [{"Config": config_name, "RepoTags": tags, "Layers": names}]
    members += [(config_name, config), ("manifest.json", json.dumps(manifest).encode())]
    return tar_of(*members)


class Layout:
    """An OCI layout in the making."""

    def __init__(self) -> None:
        self.blobs: dict[str, bytes] = {}
        self.entries: list[dict[str, object]] = []

    def blob(self, data: bytes, media_type: str) -> dict[str, object]:
        self.blobs[digest(data)] = data
        return {"mediaType": media_type, "digest": digest(data), "size": len(data)}

    def image(self, *layers: bytes, architecture: str = "amd64") -> dict[str, object]:
        config = config_for(*layers, architecture=architecture)
        manifest = {
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "config": self.blob(config, "application/vnd.oci.image.config.v1+json"),
            "layers": [
                self.blob(gzip.compress(layer, mtime=0), "application/vnd.oci.image.layer.v1.tar+gzip")
                for layer in layers
            ],
        }
        entry = self.blob(json.dumps(manifest).encode(), "application/vnd.oci.image.manifest.v1+json")
        return {**entry, "platform": {"os": "linux", "architecture": architecture}}

    def index(self, *entries: dict[str, object]) -> dict[str, object]:
        document = {"schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json", "manifests": entries}
        return self.blob(json.dumps(document).encode(), "application/vnd.oci.image.index.v1+json")

    def named(self, entry: dict[str, object], name: str | None) -> None:
        annotations = {"org.opencontainers.image.ref.name": name} if name else {}
        self.entries.append({**entry, "annotations": annotations})

    def files(self) -> dict[str, bytes]:
        index = {"schemaVersion": 2, "manifests": self.entries}
        found = {"oci-layout": b'{"imageLayoutVersion": "1.0.0"}', "index.json": json.dumps(index).encode()}
        return found | {f"blobs/{name.replace(':', '/')}": data for name, data in self.blobs.items()}

    def tar(self) -> bytes:
        return tar_of(*self.files().items())

    def write(self, directory: Path) -> None:
        for name, data in self.files().items():
            (directory / name).parent.mkdir(parents=True, exist_ok=True)
            (directory / name).write_bytes(data)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path / "store") as store:
        yield store


@pytest.fixture
def images(store: Store) -> Images:
    return Images(store)
