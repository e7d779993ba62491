"""`system check`: every blob hashed, every unpacked layer compared with its blob, every image complete.

Repair: a damaged blob is removed, since a pull would take it for the real one, and fetched again where a registry that
        the image is named after has it; a damaged layer is unpacked again, unless a container runs on it. What can not
        be had again is told by image: pull or load it, and the hole is filled.
Killed: whatever was removed is only missing then, and the next check finds that.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import msgspec

from jubako.engine import lifecycle
from jubako.engine.record import RUNNING
from jubako.errors import JubakoError, NotFound
from jubako.image import reference
from jubako.image.catalog import Image
from jubako.snapshot import check as layers
from jubako.spec.oci_image import Descriptor, DiffID, Digest
from jubako.store import verify

if TYPE_CHECKING:
    from jubako.engine.drivers import Drivers


class Finding(msgspec.Struct, kw_only=True):
    """`kind` is "blob", "layer" or "database"; `repair` is what was done about it, if anything."""

    kind: str
    name: str
    problem: str
    repair: str = ""
    repaired: bool = False
    images: list[str] = []


class Report(msgspec.Struct, kw_only=True):
    blobs: int = 0
    layers: int = 0
    findings: list[Finding] = []

    @property
    def is_sound(self) -> bool:
        """Whether everything is as it should be, now."""
        return all(finding.repaired for finding in self.findings)


def check(drivers: Drivers, *, repair: bool = False, quick: bool = False) -> Report:
    """Look at everything; `quick` only at whether all is there, without reading it."""
    report = Report()
    with drivers.store.leases.hold("system check") as lease:
        present = list(drivers.store.blobs)
        lease.add(*present)
        images = drivers.images.list()
        report.findings = [_database(problem) for problem in drivers.store.records.check()]
        report.blobs = len(present)
        unsound = () if quick else verify.damaged(drivers.store.blobs, present)
        bad = {digest: _damage(drivers, digest) for digest in unsound}
        bad.update(dict.fromkeys(_missing(drivers, images), "it is missing"))
        for digest, problem in bad.items():
            report.findings.append(_blob(drivers, digest, problem, images, repair=repair))
        if not quick:
            report.layers, found = _layers(drivers, images, repair=repair)
            report.findings += found
    return report


def _database(problem: str) -> Finding:
    return Finding(kind="database", name="jubako.db", problem=problem)


def _damage(drivers: Drivers, digest: Digest) -> str:
    if drivers.store.blobs.is_recipe(digest):
        return "it can not be made again from its unpacked layer"
    return "its content is not its digest"


def _missing(drivers: Drivers, images: list[Image]) -> Iterator[Digest]:
    for image in images:
        for needed in _needs(drivers, image):
            if not drivers.store.blobs.exists(needed.digest):
                yield needed.digest


def _needs(drivers: Drivers, image: Image) -> Iterator[Descriptor]:
    """All that an image must have here: of an index, itself and the one manifest."""
    yield image.target
    if image.manifest_digest != image.target.digest:
        yield drivers.images.manifest_descriptor(image)
    yield image.manifest.config
    yield from image.manifest.layers


def _blob(drivers: Drivers, digest: Digest, problem: str, images: list[Image], *, repair: bool) -> Finding:
    users = [(image, need) for image in images for need in _needs(drivers, image) if need.digest == digest]
    shown = sorted({shown_name(image) for image, _ in users})
    finding = Finding(kind="blob", name=digest, problem=problem, images=shown)
    if repair:
        drivers.store.blobs.delete(digest)
        finding.repair = _fetch(drivers, users)
        finding.repaired = not users or bool(finding.repair)
        finding.repair = finding.repair or "removed"
    return finding


def _fetch(drivers: Drivers, users: list[tuple[Image, Descriptor]]) -> str:
    """Try each registry that the image has a name in; say which one had it."""
    from jubako.registry.client import ClientOptions, restore

    options = ClientOptions(retries=1, connect_timeout_s=5)
    for image, wanted in users:
        for name in image.names:
            ref = reference.parse(name)
            try:
                restore(drivers.store, ref, wanted, options=options)
            except JubakoError:
                continue
            return f"fetched again from {ref.familiar_name()}"
    return ""


def _layers(drivers: Drivers, images: list[Image], *, repair: bool) -> tuple[int, list[Finding]]:
    """Those whose blob is here, unpacked or needed by a container; others belong to containers whose image is gone."""
    sources = _sources(images)
    needed = (layer for _, record in drivers.containers.items() for layer in record.needed_layers)
    chosen = [
        diff_id
        for diff_id in dict.fromkeys([*drivers.snapshots.layers(), *needed])
        if diff_id in sources and drivers.store.blobs.exists(sources[diff_id][0].digest)
    ]
    found = (_layer(drivers, diff_id, *sources[diff_id], repair=repair) for diff_id in chosen)
    return len(chosen), [finding for finding in found if finding]


def _layer(drivers: Drivers, diff_id: DiffID, layer: Descriptor, names: list[str], *, repair: bool) -> Finding | None:
    finding = Finding(kind="layer", name=diff_id, problem="it is not what its blob unpacks to", images=names)
    if not drivers.snapshots.has_layer(diff_id):
        finding.problem = "it is missing"
    elif repair and _runs_on(drivers, diff_id):
        repair, finding.problem = False, f"{finding.problem}, and a container runs on it: stop that first"
    try:
        if layers.is_sound(drivers.store, drivers.snapshots, diff_id, layer, repair=repair):
            return None
        finding.repaired, finding.repair = repair, "unpacked again" * repair
    except NotFound:
        return None  # the image was removed meanwhile
    except JubakoError as error:
        finding.problem = error.message
    return finding


def _runs_on(drivers: Drivers, diff_id: DiffID) -> bool:
    """Whether a running container has the layer mounted: its files must not go from under it."""
    using = [
        record
        for _, record in drivers.containers.items()
        if record.phase == RUNNING and diff_id in record.needed_layers
    ]
    current = (lifecycle.refresh(drivers, record) for record in using)
    return any(record is not None and record.phase == RUNNING for record in current)


def _sources(images: list[Image]) -> dict[DiffID, tuple[Descriptor, list[str]]]:
    found: dict[DiffID, tuple[Descriptor, list[str]]] = {}
    for image in images:
        for diff_id, layer in zip(image.diff_ids, image.manifest.layers, strict=True):
            found.setdefault(diff_id, (layer, []))[1].append(shown_name(image))
    return found


def shown_name(image: Image) -> str:
    """A name that a person knows it by, or its ID."""
    return reference.parse(image.names[0]).familiar() if image.names else image.id
