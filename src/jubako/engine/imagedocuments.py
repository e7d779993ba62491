"""An image in Docker's words: its history, and the document of inspect."""

from __future__ import annotations

from typing import Any

import msgspec

from jubako.image.catalog import Image
from jubako.spec import clock
from jubako.spec.oci_image import ContainerConfig


def history(image: Image) -> list[dict[str, Any]]:
    """Newest first; sizes are those of the (compressed) layers."""
    layers = iter(image.manifest.layers)
    rows: list[dict[str, Any]] = []
    for entry in image.config.history or []:
        size = 0 if entry.empty_layer else getattr(next(layers, None), "size", 0)
        rows.append(
            {
                "Id": "<missing>",
                "Created": entry.created or clock.ZERO,
                "CreatedBy": entry.created_by or "",
                "Size": size,
                "Comment": entry.comment or "",
                "Tags": None,
            }
        )
    rows.reverse()
    if rows:
        rows[0] |= {"Id": image.id, "Tags": image.repo_tags or None}
    return rows


def inspect(image: Image) -> dict[str, Any]:
    """The document of `GET /images/{name}/json`."""
    config = image.config.config or ContainerConfig()
    return {
        "Id": image.id,
        "RepoTags": image.repo_tags,
        "RepoDigests": image.repo_digests,
        "Parent": "",
        "Comment": image.config.history[-1].comment or "" if image.config.history else "",
        "Created": image.config.created or clock.ZERO,
        "Author": image.config.author or "",
        "Config": msgspec.to_builtins(config),
        "Architecture": image.config.architecture,
        "Os": image.config.os,
        "Size": image.size_bytes,
        "GraphDriver": {"Name": "overlay2", "Data": None},
        "RootFS": {"Type": "layers", "Layers": list(image.diff_ids)},
        "Metadata": {"LastTagTime": clock.ZERO},
    }
