"""The manifest that carries the statements about one image, and the descriptor that ties them in an index.

Spec: BuildKit, docs/attestations/attestation-storage.md.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from jubako.build.attest.statement import statement, subjects_of
from jubako.build.exporters.product import Product
from jubako.image import compose
from jubako.spec.oci_image import (
    Descriptor,
    DiffID,
    ImageConfig,
    Platform,
    RootFS,
)
from jubako.store import Lease, Store

IN_TOTO = "application/vnd.in-toto+json"
_PREDICATE_TYPE = "in-toto.io/predicate-type"
_UNKNOWN = Platform(architecture="unknown", os="unknown")


def write_attestation(
    store: Store, lease: Lease, product: Product, manifest: Descriptor, names: Sequence[str]
) -> Descriptor:
    """Write the statements about `manifest`; the descriptor is for the index that lists it too."""
    subjects = subjects_of(names, product.platform, manifest.digest)
    layers = []
    for predicate in product.predicates:
        data = statement(predicate, subjects)
        layer = compose.describe(data, IN_TOTO)
        lease.add(layer.digest)
        store.blobs.put(data)
        layers.append(msgspec.structs.replace(layer, annotations={_PREDICATE_TYPE: predicate.type}))
    config = ImageConfig(
        architecture="unknown",
        os="unknown",
        rootfs=RootFS(diff_ids=[DiffID(layer.digest) for layer in layers]),
    )
    written = compose.write_image(store, config, layers, lease=lease)
    return msgspec.structs.replace(
        written,
        platform=_UNKNOWN,
        annotations={
            "vnd.docker.reference.digest": manifest.digest,
            "vnd.docker.reference.type": "attestation-manifest",
        },
    )
