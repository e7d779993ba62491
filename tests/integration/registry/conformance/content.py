"""What the conformance suites push: images, indexes, artifacts and odd but legal documents, with all that they name."""

from __future__ import annotations

import json
import os
from base64 import b64encode
from collections.abc import Callable, Iterable
from typing import Any

from jubako.spec.oci_image import CONFIG, EMPTY, INDEX, LAYER_GZIP, LAYER_TAR, MANIFEST, Digest

from .uploads import digest_by

EXAMPLE = "application/vnd.example.conformance.v1"
NOTES = {"org.example.conformance": "hello"}
Json = dict[str, Any]


class Content:
    """Blobs, and manifests in the order to push them; the last one gets the tags."""

    def __init__(self, algorithm: str = "sha256", **every: Any) -> None:
        self.algorithm = algorithm
        self.every = every
        self.blobs: dict[Digest, bytes] = {}
        self.manifests: dict[Digest, bytes] = {}
        self.referrers: dict[str, list[Json]] = {}
        self.tags: dict[str, Digest] = {}

    def blob(self, media_type: str, data: bytes | None = None, *, inline: bool = False) -> Json:
        data = os.urandom(900) if data is None else data
        digest = digest_by(self.algorithm, data)
        self.blobs[digest] = data
        described = {"mediaType": media_type, "digest": digest, "size": len(data)}
        return described | ({"data": b64encode(data).decode()} if inline else {})

    def image(self, layers: Iterable[Json] | None = None, *, inline: bool = False, **more: Any) -> Json:
        config = json.dumps({"os": "linux", "architecture": "amd64", "rootfs": {"type": "layers", "diff_ids": []}})
        if layers is None:
            layers = [self.blob(LAYER_GZIP, inline=inline), self.blob(LAYER_TAR)]
        return self.document(MANIFEST, config=self.blob(CONFIG, config.encode()), layers=list(layers), **more)

    def artifact(self, **more: Any) -> Json:
        empty, payload = self.blob(EMPTY, b"{}"), self.blob(EXAMPLE)
        return self.document(MANIFEST, artifactType=EXAMPLE, config=empty, layers=[payload], **more)

    def index(self, *children: Json, **more: Any) -> Json:
        platforms = [{"os": "linux", "architecture": name} for name in ("amd64", "arm64")]
        entries = [child | {"platform": platform} for child, platform in zip(children, platforms, strict=False)]
        return self.document(INDEX, manifests=entries, **more)

    def document(self, media_type: str, **fields: Any) -> Json:
        data = json.dumps({"schemaVersion": 2, "mediaType": media_type, **fields, **self.every}).encode()
        described = {"mediaType": media_type, "digest": digest_by(self.algorithm, data), "size": len(data)}
        self.manifests[described["digest"]] = data
        if "subject" in fields:
            kind = fields.get("artifactType") or fields["config"]["mediaType"]
            shown = described | {"artifactType": kind}
            if "annotations" in fields:
                shown["annotations"] = fields["annotations"]
            self.referrers.setdefault(fields["subject"]["digest"], []).append(shown)
        return described


def _foreign(content: Content) -> None:
    kind = "application/vnd.oci.image.layer.nondistributable.v1.tar"
    absent = {"mediaType": kind, "digest": digest_by("sha256", os.urandom(9)), "size": 12345}
    elsewhere = absent | {"mediaType": f"{kind}+gzip", "urls": ["https://store.example.com/layer"]}
    content.image([absent, elsewhere, content.blob(LAYER_GZIP)])


def _subjects(content: Content) -> None:
    subject = content.image()
    content.image(subject=subject)
    content.artifact(subject=subject, annotations=NOTES)
    content.index(content.artifact(), artifactType=EXAMPLE, subject=subject, annotations=NOTES)


_ABSENT = {"mediaType": MANIFEST, "digest": digest_by("sha256", b"missing content"), "size": 123}
MAKERS: dict[str, Callable[[Content], object]] = {
    "image": lambda c: c.image(),
    "large": lambda c: c.image(annotations={f"large-{number}": "A" * 10_000 for number in range(390)}),
    "index": lambda c: c.index(c.image(), c.image()),
    "nested-index": lambda c: c.index(c.index(c.image()), c.index(c.image())),
    "empty-index": lambda c: c.index(),
    "artifact": lambda c: c.artifact(),
    "artifact-index": lambda c: c.index(c.artifact(), c.artifact(), artifactType=EXAMPLE),
    "artifact-without-layers": lambda c: c.document(
        MANIFEST, artifactType=EXAMPLE, config=c.blob(EMPTY, b"{}"), layers=[c.blob(EMPTY, b"{}")]
    ),
    "subjects": _subjects,
    "missing-subject": lambda c: c.artifact(subject=_ABSENT, annotations=NOTES),
    "data-field": lambda c: c.image(inline=True),
    "foreign-layers": _foreign,
    "no-layers": lambda c: c.image([]),
}


def make(kind: str, algorithm: str = "sha256") -> Content:
    """The content called `kind`; `custom-fields` is an index whose documents all have a field that nobody knows."""
    if kind == "custom-fields":
        content = Content(algorithm, **{"org.example.unknown": {"nested": [1, None]}})
        content.index(content.image(), content.image())
    else:
        content = Content(algorithm)
        MAKERS[kind](content)
    content.tags[kind] = list(content.manifests)[-1]
    return content


KINDS = (*MAKERS, "custom-fields")
