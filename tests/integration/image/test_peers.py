"""Archives and layouts exchanged with skopeo, podman and umoci. (tests/clients does the same for docker, by daemon.)"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from jubako.image import archive, compose, layout
from jubako.image.catalog import Image, Images
from jubako.image.layer import pack_blob
from jubako.image.layer.packing import Compression
from jubako.spec.oci_image import ContainerConfig, ImageConfig, RootFS
from jubako.store import Store

from .conftest import describe

pytestmark = [
    pytest.mark.root,
    pytest.mark.clients,
    pytest.mark.skipif(not all(map(shutil.which, ("skopeo", "podman", "umoci"))), reason="needs the peers"),
]


def run(*argv: str | Path) -> str:
    done = subprocess.run([str(a) for a in argv], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, f"{argv}: {done.stderr}"
    return done.stdout


class Podman:
    """podman on storage of its own."""

    def __init__(self, base: Path) -> None:
        self._options = ["--root", str(base / "root"), "--runroot", str(base / "run"), "--log-level", "error"]

    def __call__(self, *arguments: str | Path) -> str:
        return run("podman", *self._options, *arguments)


@pytest.fixture
def podman(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Podman]:
    base = tmp_path_factory.mktemp("podman")
    podman = Podman(base)
    yield podman
    podman("rmi", "--all", "--force")
    # containers/storage keeps its overlay directory mounted on itself.
    subprocess.run(["umount", base / "root" / "overlay"], capture_output=True)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path / "store") as store:
        yield store


@pytest.fixture
def images(store: Store) -> Images:
    return Images(store)


@pytest.fixture
def other(tmp_path: Path) -> Iterator[Images]:
    with Store.open(tmp_path / "other") as store:
        yield Images(store)


@pytest.fixture(params=["gzip", "zstd", "none"])
def image(request: pytest.FixtureRequest, store: Store, images: Images, tmp_path: Path) -> Image:
    """An image of two layers, the upper with whiteouts."""
    compression: Compression = request.param
    lower, upper = tmp_path / "lower", tmp_path / "upper"
    (lower / "etc").mkdir(parents=True)
    (lower / "etc" / "name").write_text("lower")
    (lower / "gone").write_text("x")
    (lower / "link").symlink_to("etc/name")
    upper.mkdir()
    os.mknod(upper / "gone", 0o020000, 0)
    (upper / ("long" * 40)).write_text("y")
    layers, diff_ids = [], []
    for path in (lower, upper):
        fd = os.open(path, os.O_RDONLY)
        descriptor, diff_id = pack_blob(fd, store.blobs, compression=compression)
        os.close(fd)
        layers.append(descriptor)
        diff_ids.append(diff_id)
    config = ImageConfig(
        architecture="amd64",
        os="linux",
        created="2024-01-01T00:00:00Z",
        config=ContainerConfig(cmd=["/etc/name"], labels={"a": "b"}),
        rootfs=RootFS(diff_ids=diff_ids),
    )
    images.put("quay.io/test/tool:v1", compose.write_image(store, config, layers))
    return images.resolve("quay.io/test/tool:v1")


def convertible(image: Image, format: str, *kinds: str) -> list[str]:
    """The peers can not turn zstd layers into Docker's format."""
    keeps_zstd = format == "oci-archive" and any("zstd" in layer.media_type for layer in image.manifest.layers)
    return [kind for kind in kinds if not (keeps_zstd and kind.startswith("docker"))]


def save(store: Store, images: Images, path: Path, format: str) -> Path:
    with path.open("wb") as out:
        archive.save(store, images, ["quay.io/test/tool:v1"], out, format=format)  # type: ignore[arg-type]
    return path


@pytest.mark.parametrize("format", ["docker-archive", "oci-archive"])
def test_skopeo_reads_what_we_save_and_we_read_what_skopeo_writes(
    image: Image, store: Store, images: Images, other: Images, tmp_path: Path, format: str
) -> None:
    path = save(store, images, tmp_path / "saved.tar", format)
    for kind in convertible(image, format, "docker-archive", "oci-archive", "oci"):
        target = tmp_path / f"from-skopeo-{kind}"
        run("skopeo", "copy", "-q", f"{format}:{path}", f"{kind}:{target}:docker.io/library/tool:v2")
        (loaded,) = archive.load(other._store, target, other)
        assert loaded.diff_ids == image.diff_ids
        assert loaded.names == ["docker.io/library/tool:v2"]
        assert loaded.config.config == image.config.config
        other.remove("tool:v2")


@pytest.mark.parametrize("format", ["docker-archive", "oci-archive"])
def test_podman_loads_what_we_save_and_we_load_what_podman_saves(
    image: Image, store: Store, images: Images, other: Images, podman: Podman, tmp_path: Path, format: str
) -> None:
    podman("load", "-i", save(store, images, tmp_path / "saved.tar", format))
    assert podman("images", "--format", "{{.Repository}}:{{.Tag}}").split() == ["quay.io/test/tool:v1"]
    for kind in convertible(image, format, "docker-archive", "oci-archive", "oci-dir", "docker-archive --compress"):
        target = tmp_path / ("saved-by-podman-" + kind.replace(" ", ""))
        if "--compress" in kind:
            podman("save", "--format", "docker-archive", "-o", target, "quay.io/test/tool:v1")
            run("gzip", "-f", target)
            target = target.with_name(target.name + ".gz")
        else:
            podman("save", "--format", kind, "-o", target, "quay.io/test/tool:v1")
        (loaded,) = archive.load(other._store, target, other)
        assert loaded.names == ["quay.io/test/tool:v1"]
        assert loaded.diff_ids == image.diff_ids
        other.remove("quay.io/test/tool:v1")


def test_podman_saves_several_images_in_one_archive(
    image: Image, store: Store, images: Images, other: Images, podman: Podman, tmp_path: Path
) -> None:
    podman("load", "-i", save(store, images, tmp_path / "saved.tar", "docker-archive"))
    podman("tag", "quay.io/test/tool:v1", "quay.io/test/other:v2")
    podman("save", "-m", "-o", tmp_path / "many.tar", "quay.io/test/tool:v1", "quay.io/test/other:v2")
    archive.load(other._store, tmp_path / "many.tar", other)
    assert other.resolve("quay.io/test/other:v2").id == other.resolve("quay.io/test/tool:v1").id


def test_umoci_unpacks_our_layout_to_the_tree_that_it_was(
    image: Image, store: Store, images: Images, tmp_path: Path
) -> None:
    if any("zstd" in layer.media_type for layer in image.manifest.layers):
        pytest.skip("umoci of this age does not know zstd")
    layout.export(store, images, ["quay.io/test/tool:v1"], tmp_path / "layout")
    run("umoci", "unpack", "--image", f"{tmp_path}/layout:v1", tmp_path / "bundle")
    found = describe(tmp_path / "bundle" / "rootfs")
    assert found == {"etc": "directory", "etc/name": b"lower", "link": "-> etc/name", "long" * 40: b"y"}
