"""Images as docker, buildah, umoci and we build them, unpacked by us, by umoci and by podman: no difference.

One Dockerfile, with all that makes layers hard: attributes, links, deletions, opaque directories, changes of kind.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.clients.conftest import Peer
from tests.conftest import Cli
from tests.integration.image.corpus import What, add_xattrs, describe, differences, make_rich

from jubako.image.catalog import Images
from jubako.snapshot import Overlay, mounted
from jubako.store import Store

pytestmark = [pytest.mark.clients, pytest.mark.root]

DOCKERFILE = r"""
FROM busybox
COPY tree /tree
RUN cd /tree && ln etc/suid etc/linked && mkdir -p many/a many/b && echo 1 > many/a/1 && echo 2 > many/b/2 \
 && mknod node c 5 1 && mkfifo pipe && chown 1234:5678 link && touch -d '1969-12-31 23:00:00' before
RUN cd /tree && rm -rf many && mkdir many && echo new > many/new && rm large && rm -rf empty && echo file > empty
RUN cd /tree && rm etc/name && mkdir etc/name && echo inside > etc/name/inside && rm link && ln -s many link \
 && mv closed moved && chmod 0711 tmp && echo more >> etc/suid && rm -rf many/new && ln etc/linked many/across
RUN rm -rf /tree/many && rm /tree/node && ln -s /tree/etc /tree/many
"""


@pytest.fixture(scope="module")
def context(tmp_path_factory: pytest.TempPathFactory) -> Path:
    base = tmp_path_factory.mktemp("context")
    (base / "Dockerfile").write_text(DOCKERFILE)
    tree = add_xattrs(make_rich(base / "tree"))
    # Builders copy no devices, and docker's client can not send what is not UTF-8.
    for path in ("null", "disk", "fifo", os.fsdecode(b"latin-\xe9\xff")):
        (tree / path).unlink()
    return base


def by_docker(archive: Path, context: Path, state: Cli, request: pytest.FixtureRequest) -> None:
    docker: Peer = request.getfixturevalue("docker")
    docker("build", "-q", "-t", "corpus", str(context))
    docker("save", "-o", str(archive), "corpus")


def by_buildah(archive: Path, context: Path, state: Cli, request: pytest.FixtureRequest) -> None:
    podman: Peer = request.getfixturevalue("podman")
    storage = podman.argv[1:5]
    limits = ("--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1024:1024")
    arguments = (
        "--runtime",
        "runc",
        "--cap-add",
        "MKNOD",
        "--layers",
        "--network",
        "none",
        *limits,
        "-t",
        "corpus",
        str(context),
    )
    Peer(["buildah", *storage, "bud"])(*arguments)
    podman("save", "--format", "oci-archive", "-o", str(archive), "localhost/corpus")


def by_us(archive: Path, context: Path, state: Cli, request: pytest.FixtureRequest) -> None:
    state("build", "-q", "-t", "corpus", str(context))
    state("save", "-o", str(archive), "corpus")


def by_umoci(archive: Path, context: Path, state: Cli, request: pytest.FixtureRequest) -> None:
    """Two layers, the upper by comparing a changed tree with what it was."""
    layout, bundle = archive.with_suffix(".layout"), archive.with_suffix(".bundle")
    run("umoci", "init", "--layout", layout)
    run("umoci", "new", "--image", f"{layout}:v1")
    run("umoci", "insert", "--image", f"{layout}:v1", context / "tree", "/tree")
    run("umoci", "unpack", "--image", f"{layout}:v1", bundle)
    tree = bundle / "rootfs" / "tree"
    subprocess.run(["rm", "-rf", tree / "mail", tree / "etc/name", tree / "empty"], check=True)
    (tree / "empty").write_text("now a file")
    (tree / "etc/name").mkdir()
    (tree / "etc/linked").hardlink_to(tree / "etc/suid")
    os.mknod(tree / "node", 0o020666, os.makedev(1, 5))
    run("umoci", "repack", "--image", f"{layout}:v1", bundle)
    run("tar", "-C", layout, "-cf", archive, ".")


BUILDERS = {"docker": by_docker, "buildah": by_buildah, "umoci": by_umoci, "jubako": by_us}


def run(*argv: str | Path) -> str:
    done = subprocess.run([str(a) for a in argv], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, f"{argv}: {done.stderr}"
    return done.stdout


@pytest.fixture(params=BUILDERS)
def archive(request: pytest.FixtureRequest, context: Path, state: Cli, tmp_path: Path) -> Path:
    path = tmp_path / "corpus.tar"
    build: Callable[[Path, Path, Cli, pytest.FixtureRequest], None] = BUILDERS[request.param]
    build(path, context, state, request)
    return path


@pytest.fixture
def unpacked(archive: Path, tmp_path: Path) -> Iterator[dict[str, What]]:
    """The image as containers of ours see it: its layers beneath overlayfs."""
    with Store.open(tmp_path / "store") as store:
        images, snapshots = Images(store), Overlay(store)
        from jubako.image import archive as archives
        from jubako.snapshot.unpack import ensure

        (image,) = archives.load(store, archive, images)
        with store.leases.hold() as lease:
            ensure(store, snapshots, image, lease=lease)
        with mounted(snapshots.view_mounts(image.diff_ids)) as root:
            yield describe(Path(f"/proc/self/fd/{root}/tree"))


def source(archive: Path) -> str:
    kind = "docker-archive" if "manifest.json" in run("tar", "-tf", archive).split() else "oci-archive"
    return f"{kind}:{archive}"


def test_an_image_is_to_us_what_it_is_to_umoci_and_podman(
    archive: Path, unpacked: dict[str, What], podman: Peer, tmp_path: Path
) -> None:
    assert "many" in unpacked or "node" in unpacked
    run("skopeo", "copy", "-q", source(archive), f"oci:{tmp_path}/layout:v1")
    run("umoci", "unpack", "--image", f"{tmp_path}/layout:v1", tmp_path / "bundle")
    assert differences(unpacked, describe(tmp_path / "bundle/rootfs/tree")) == []
    image = podman("pull", "-q", f"oci:{tmp_path}/layout:v1").strip()
    try:
        root = podman("image", "mount", image).split()[-1]
        # podman, as docker, makes 1970 of what is older.
        bounded = {name: what._replace(mtime_ns=max(0, what.mtime_ns)) for name, what in unpacked.items()}
        found = differences(bounded, describe(Path(root) / "tree"))
        assert not found, "\n".join(found)
    finally:
        podman("image", "umount", image)
        podman("rmi", "-f", image)
