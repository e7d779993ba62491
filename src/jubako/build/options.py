"""What a build is called with, and what it gives back."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

import msgspec

from jubako.build.bases import Pull
from jubako.build.exporters.export import Push
from jubako.image.catalog import Images
from jubako.spec.oci_image import Descriptor, Digest

if TYPE_CHECKING:
    from jubako.build.graph.execute import Debug
    from jubako.network import Networks
    from jubako.snapshot import Snapshotter
    from jubako.store import Store


class BuildDrivers(NamedTuple):
    """The opened parts of the state directory that a build works with."""

    store: Store
    images: Images
    snapshotter: Snapshotter
    networks: Networks
    root: Path
    run_root: Path


class BuildOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What to build, as the command line has it. `pull` is called for base images that are absent, and with
    `always_pull` for all. `outputs` are texts of `-o`; without any the image goes to the store, as with `load`.
    `debug` is lent a shell where a RUN has failed; `device_directories` is where devices are described, if not in
    the usual places."""

    dockerfile: str | Path | None = None
    dockerfile_inline: str | None = None
    tags: Sequence[str] = ()
    contexts: Mapping[str, str] = {}
    target: str | None = None
    build_args: Mapping[str, str] = {}
    labels: Mapping[str, str] = {}
    no_cache: bool = False
    no_cache_filter: Sequence[str] = ()
    cache_from: Sequence[str] = ()
    cache_to: Sequence[str] = ()
    pull: Pull | None = None
    always_pull: bool = False
    network: str = "default"
    platforms: Sequence[str] = ()
    outputs: Sequence[str] = ()
    annotations: Sequence[str] = ()
    attests: Sequence[str] = ()
    provenance: str | None = None
    sbom: str | None = None
    load: bool = False
    push: bool = False
    push_image: Push | None = None
    collect: Callable[[], int] | None = None
    stdout: BinaryIO | None = None
    iidfile: str | Path | None = None
    metadata_file: str | Path | None = None
    secrets: Mapping[str, bytes] = {}
    ssh: Sequence[str] = ()
    allow: Sequence[str] = ()
    extra_hosts: Sequence[str] = ()
    ulimits: Sequence[str] = ()
    shm_bytes: int = 0
    cgroup_parent: str = ""
    device_directories: Sequence[str | Path] = ()
    debug: Debug | None = None
    workers: int | None = None


class BuildResult(msgspec.Struct, frozen=True):
    """The image that was built, the one for this machine if there are several: its ID, its manifest, and the names that
    it was given. `target` is the whole of it, an index perhaps; None when only files were exported."""

    image_id: Digest
    manifest: Descriptor
    names: list[str]
    target: Descriptor | None = None
    ref: str = ""
    metadata: dict[str, object] = {}
