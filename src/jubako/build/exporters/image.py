"""Images in the store: a manifest for each platform, an index where there are several or statements about them.

Layout: as BuildKit's: statements about a manifest are layers of a manifest of their own, which the index lists for the
        platform unknown/unknown with the annotation `vnd.docker.reference.digest`.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from jubako.build.attest.manifest import write_attestation
from jubako.build.exporters.annotations import Annotation, chosen
from jubako.build.exporters.compression import packed
from jubako.build.exporters.product import Product
from jubako.build.exporters.spec import Output
from jubako.image import compose
from jubako.spec.oci_image import Descriptor
from jubako.store import Lease, Store


class Written(msgspec.Struct, frozen=True):
    """`target` is the whole image; `manifests` are those of the products, in their order."""

    target: Descriptor
    manifests: list[Descriptor]


def write_image(
    store: Store,
    lease: Lease,
    products: Sequence[Product],
    output: Output,
    annotations: Sequence[Annotation],
    names: Sequence[str],
) -> Written:
    """Write the documents (and the layers, where they are wanted in another form); nothing is recorded."""
    wanted = [*annotations, *output.annotations]
    manifests = [_manifest(store, lease, product, output, wanted) for product in products]
    indexed = chosen(wanted, "index")
    statements = [
        write_attestation(store, lease, product, manifest, names)
        for product, manifest in zip(products, manifests, strict=True)
        if product.predicates
    ]
    if len(products) == 1 and not (statements or indexed):
        return Written(manifests[0], manifests)
    entries = [
        msgspec.structs.replace(manifest, annotations=chosen(wanted, "manifest-descriptor", product.platform) or None)
        for product, manifest in zip(products, manifests, strict=True)
    ]
    document = compose.index_of([*entries, *statements], docker_types=not output.oci_types, annotations=indexed)
    lease.add(document.descriptor.digest)
    store.blobs.put(document.data)
    return Written(document.descriptor, manifests)


def _manifest(store: Store, lease: Lease, product: Product, output: Output, wanted: Sequence[Annotation]) -> Descriptor:
    layers = packed(store, lease, product.filesystem.layers, product.base_layers, output.packing)
    return compose.write_image(
        store,
        product.config,
        layers,
        docker_types=not output.oci_types,
        annotations=chosen(wanted, "manifest", product.platform),
        lease=lease,
    )
