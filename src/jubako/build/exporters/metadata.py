"""`--metadata-file` and `--iidfile`: what was made, for scripts to read.

Spec: buildx, "--metadata-file".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from jubako.build.exporters.destination import replaced
from jubako.build.exporters.product import PROVENANCE, Product
from jubako.errors import InvalidArgument
from jubako.image import platform as platforms
from jubako.spec.oci_image import Descriptor, Digest


def metadata(
    ref: str, target: Descriptor | None, image_id: Digest, names: list[str], products: Sequence[Product]
) -> dict[str, object]:
    """`target` is None when no image was exported."""
    found: dict[str, object] = {}
    for product in products:
        suffix = f"/{platforms.text(product.platform)}" if len(products) > 1 else ""
        for predicate in product.predicates:
            if predicate.file_name == PROVENANCE:
                found[f"buildx.build.provenance{suffix}"] = msgspec.json.decode(predicate.data)
    found["buildx.build.ref"] = ref
    if target is not None:
        found["containerimage.config.digest"] = image_id
        found["containerimage.descriptor"] = msgspec.to_builtins(target)
        found["containerimage.digest"] = target.digest
    if names:
        found["image.name"] = ",".join(names)
    return dict(sorted(found.items()))


def write_facts(path: str | Path, facts: Mapping[str, object]) -> None:
    write_file(path, msgspec.json.format(msgspec.json.encode(facts), indent=2))


def write_file(path: str | Path, data: bytes) -> None:
    """Replace the file in one step."""
    try:
        with replaced(Path(path)) as out:
            out.write(data)
    except OSError as error:
        raise InvalidArgument(f"can not write {path}: {(error.strerror or '').lower()}") from error
