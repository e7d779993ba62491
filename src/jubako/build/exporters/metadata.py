"""`--metadata-file` and `--iidfile`: what was made, for scripts to read.

Spec: buildx, "--metadata-file".
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import msgspec

from jubako.errors import InvalidArgument
from jubako.spec.oci_image import Descriptor, Digest


def metadata(
    ref: str, target: Descriptor | None, image_id: Digest, names: list[str], predicates: Mapping[str, bytes]
) -> dict[str, object]:
    """`target` is None when no image was exported; `predicates` are provenances, by the key that they go under."""
    found: dict[str, object] = {key: msgspec.json.decode(data) for key, data in predicates.items()}
    found["buildx.build.ref"] = ref
    if target is not None:
        found["containerimage.config.digest"] = image_id
        found["containerimage.descriptor"] = msgspec.to_builtins(target)
        found["containerimage.digest"] = target.digest
    if names:
        found["image.name"] = ",".join(names)
    return dict(sorted(found.items()))


def write_file(path: str | Path, data: bytes) -> None:
    """Replace the file in one step."""
    target = Path(path)
    temporary = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        temporary.write_bytes(data)
        temporary.replace(target)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise InvalidArgument(f"can not write {path}: {(error.strerror or '').lower()}") from error
